import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stampBuild } from './build-stamp.ts';

/**
 * Compiles functions/, shared/ and local/ into dist/, unless nothing has changed since the last build, and writes the
 * version and commit to dist/build.json.
 */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stampFile = join(dist, '.stamp');

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stampBuild(root)) {
  compile();
  removeStale();
  writeFileSync(stampFile, stampBuild(root));
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
writeFileSync(join(dist, 'build.json'), `${JSON.stringify({ version, commit: readCommit() })}\n`);

/** Ends the process with the compiler's status when it fails. */
function compile(): void {
  rmSync(stampFile, { force: true });
  mkdirSync(dist, { recursive: true });
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const compiler = [join(typescript, 'bin/tsc'), '-p', join(root, 'tsconfig.build.json')];
  const { status, error } = spawnSync(process.execPath, compiler, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Removes the output of deleted sources: the host loads every file in dist/functions. */
function removeStale(): void {
  for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = entry.replace(/\.js(\.map)?$/, '.ts');
    if (source !== entry && !existsSync(join(root, source))) rmSync(join(dist, entry));
  }
}

function readCommit(): string {
  const given = process.env['SLIPWAY_COMMIT'] ?? process.env['GITHUB_SHA'];
  if (given) return given;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
