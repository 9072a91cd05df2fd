import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createFolder } from '../../support/stores.ts';

/** Lints one file with the repository's own configuration, as if it were at `path`. */
function lint(path: string, source: string): readonly string[] {
  const folder = createFolder();
  const config = JSON.parse(readFileSync('.oxlintrc.json', 'utf8')) as { jsPlugins: string[] };
  const jsPlugins = config.jsPlugins.map((plugin) => resolve(plugin));
  writeFileSync(join(folder, '.oxlintrc.json'), JSON.stringify({ ...config, jsPlugins }));
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const { stdout } = spawnSync(resolve('node_modules/.bin/oxlint'), ['--format', 'json', '.'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; message: string }[] };
  return diagnostics.filter(({ code }) => code.includes('exact-math')).map(({ message }) => message);
}

const exact = `
export const a = [Math.sqrt(2), Math.fround(1), Math.max(1, 2), Math.LN2, 2 ** 32, 2 ** -1074, 10n ** 3n];
export const b = { Math: 1 }.Math;
`;

const inexact: readonly (readonly [string, RegExp])[] = [
  ['Math.exp(1)', /Math\.exp/],
  ["Math['log'](2)", /Math\.log/],
  ['Math.hypot(3, 4)', /Math\.hypot/],
  ['Math.random()', /Math\.random/],
  ['Math[String(1)]', /Math\.\[/],
  ['(({ pow }) => pow(2, 3))(Math)', /Name the members/],
  ['globalThis.String(2 ** Number(3))', /\*\*/],
  ['Number(2) ** 3', /\*\*/],
  ['globalThis.Math.cbrt(8)', /Name the members/],
  ['2 ** 0.5', /\*\*/],
  ['((x: number) => (x **= 2))(3)', /\*\*/],
];

test.each(['shared/core/stats/x.ts', 'shared/domains/training/trainers/x.ts', 'shared/adapters/onnx/x.ts'])(
  'refuses inexact mathematics in %s',
  (path) => {
    const lines = inexact.map(([code], index) => `export const x${index} = ${code};`);
    const found = lint(path, lines.join('\n'));
    expect(found).toHaveLength(inexact.length);
    for (const [index, [, message]] of inexact.entries()) expect(found[index]).toMatch(message);
    expect(lint(path, exact)).toEqual([]);
  },
);

test('leaves other folders alone', () => {
  expect(lint('shared/api/x.ts', 'export const x = Math.exp(1);')).toEqual([]);
});
