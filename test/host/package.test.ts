import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assemblePackage } from '../../scripts/assemble-package.ts';
import { fixtureAppDir, makeFixtureFolder, type FixtureFolder } from '../support/host/fixture-host.ts';
import { until } from '../support/until.ts';

/** A small built repository around the fixture app, with dependencies from our lockfile. */
const repository = join(import.meta.dirname, '../..');
let folder: FixtureFolder;
let root: string;
let outDir: string;

beforeAll(async () => {
  folder = await makeFixtureFolder();
  root = join(folder.dataDir, '../repository');
  outDir = join(folder.dataDir, '../package');
  cpSync(join(fixtureAppDir, 'functions'), join(root, 'dist/functions'), { recursive: true });
  mkdirSync(join(root, 'dist/shared'));
  writeFileSync(join(root, 'dist/build.json'), '{}');
  cpSync(join(fixtureAppDir, 'host.json'), join(root, 'host.json'));
  const scripts = { test: 'vitest' };
  const manifest = {
    name: 'small',
    type: 'module',
    main: 'dist/functions/*.js',
    scripts,
    devDependencies: { vitest: '*' },
  };
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(root, 'source.ts'), '');
  // npm's record of what is installed, which is always current.
  const installed = readFileSync(join(repository, 'node_modules/.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(installed) as {
    packages: Record<string, { dev?: boolean; os?: string[] }>;
  };
  // Everything that runs, with placeholders for the files of the heavy native packages.
  const heavy = /onnxruntime|duckdb/;
  const wanted = Object.entries(packages).filter(
    ([path]) => !heavy.test(path) && existsSync(join(repository, path)),
  );
  const lock: Record<string, object> = {
    'node_modules/onnxruntime-node': {},
    'node_modules/native-windows': { os: ['win32'] },
  };
  for (const [path, entry] of wanted.filter(
    ([path, entry]) => path !== '' && (entry.dev !== true || path.endsWith('/vitest')),
  )) {
    lock[path] = entry;
    cpSync(join(repository, path), join(root, path), { recursive: true });
  }
  for (const file of [
    'bin/napi-v6/linux/x64/a.so',
    'bin/napi-v6/linux/arm64/a.so',
    'bin/napi-v6/win32/x64/a.dll',
    'dist/index.js',
    'script/install.js',
  ])
    writeDeep(join(root, 'node_modules/onnxruntime-node', file));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
  assemblePackage({ root, outDir, platform: 'linux', arch: 'x64' });
});
afterAll(() => folder.remove());

function writeDeep(file: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
}

describe('trap 21: the packaged folder', () => {
  test('contains what runs, and nothing else', () => {
    const has = (path: string): boolean => existsSync(join(outDir, path));
    for (const path of [
      'host.json',
      'dist/functions/http.js',
      'dist/build.json',
      'node_modules/@azure/functions/package.json',
    ])
      expect([path, has(path)]).toEqual([path, true]);
    for (const path of [
      'source.ts',
      'package-lock.json',
      'node_modules/vitest',
      'node_modules/native-windows',
    ])
      expect([path, has(path)]).toEqual([path, false]);
    const manifest = JSON.parse(readFileSync(join(outDir, 'package.json'), 'utf8')) as object;
    expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining(['scripts']));
    expect(manifest).toMatchObject({ main: 'dist/functions/*.js', type: 'module' });
  });

  test('has native binaries for its target only', () => {
    const onnx = join(outDir, 'node_modules/onnxruntime-node');
    expect(existsSync(join(onnx, 'bin/napi-v6/linux/x64/a.so'))).toBe(true);
    expect(existsSync(join(onnx, 'dist/index.js'))).toBe(true);
    for (const path of ['bin/napi-v6/linux/arm64', 'bin/napi-v6/win32', 'script'])
      expect(existsSync(join(onnx, path))).toBe(false);
  });

  test('an app that is not built, or lacks a package for the target, is refused', () => {
    const target = { root, outDir: `${outDir}-2`, arch: 'x64' };
    expect(() => assemblePackage({ ...target, root: outDir, platform: 'linux' })).toThrow(
      'package-lock.json is missing',
    );
    expect(() => assemblePackage({ ...target, platform: 'win32' })).toThrow(
      'node_modules/native-windows is not installed',
    );
  });

  test('runs in the host, with its main glob and its own packages', async () => {
    const cli = join(repository, 'dist/local/cli.js');
    const args = [cli, '--app-dir', outDir, '--data-dir', folder.dataDir, '--port', '0'];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...folder.settings },
      stdio: 'pipe',
    });
    const exit = once(child, 'exit');
    try {
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const file = join(folder.dataDir, 'endpoints.json');
      await until(
        () => existsSync(file),
        () => output,
      );
      const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string };
      expect(await (await fetch(`${url}/echo`)).json()).toMatchObject({ method: 'GET' });
    } finally {
      child.kill('SIGKILL');
      await exit;
    }
  });
});
