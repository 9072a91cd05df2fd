import { createHash, type Hash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = ['functions', 'shared', 'local'].map((folder) => `${folder}/**/*.{ts,json}`);
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Files in dist/ that the compiler does not write. */
const ownFiles = ['dist/build.json', 'dist/.stamp'];

/**
 * Identifies a build: its stamp changes when a source or a setting changes in content, or is added or removed, and
 * when a file in dist/ is written, added or removed. Equal stamps mean that a new build would give the same output.
 *
 * @param root the repository
 */
export function stampBuild(root: string): string {
  const hash = createHash('sha256');
  for (const file of listFiles(root, [...sources, ...settings])) addContent(hash, root, file);
  for (const file of listFiles(root, ['dist/**/*']).filter((file) => !ownFiles.includes(file))) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/** Sorted, with slashes on every platform. */
function listFiles(root: string, patterns: readonly string[]): readonly string[] {
  return globSync(patterns, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

function addContent(hash: Hash, root: string, file: string): void {
  const path = join(root, file);
  const content = existsSync(path) ? readFileSync(path) : '';
  hash.update(`${file}\0${content.length}\0`).update(content);
}
