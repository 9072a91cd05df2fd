import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Compiles functions/, shared/ and local/ into dist/, and stamps the build with its version and commit. */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
mkdirSync('dist', { recursive: true });
removeStale('dist');
writeFileSync('dist/build.json', `${JSON.stringify({ version, commit: commit() })}\n`);

/** What a deleted source left behind must not be loaded (the host globs dist/functions). */
function removeStale(dist: string): void {
  for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = entry.replace(/\.js(\.map)?$/, '.ts');
    if (source !== entry && !existsSync(source)) rmSync(join(dist, entry));
  }
}

function commit(): string {
  const given = process.env['SLIPWAY_COMMIT'] ?? process.env['GITHUB_SHA'];
  if (given) return given;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
