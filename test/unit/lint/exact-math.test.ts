import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createFolder } from '../../support/stores.ts';

/** Files that may use inexact mathematics. */
const exceptions: Readonly<Record<string, string>> = {
  'shared/core/async/backoff.ts': 'delays before retries: no result depends on their last bit',
  'shared/domains/pipelines/orchestrate.ts': 'delays before retries: no result depends on their last bit',
};

const config = JSON.parse(readFileSync('.oxlintrc.json', 'utf8')) as {
  readonly jsPlugins: readonly string[];
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: Readonly<Record<string, string>>;
  }[];
};

/** Lints one file with the repository's own configuration, as if it were at `path`. */
function lint(path: string, source: string): readonly string[] {
  const folder = createFolder();
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
export const a = [Math.sqrt(2), Math.fround(1), Math.max(1, 2), Math.LN2, 2 ** 32, 2 ** -1074, 10n ** 3n, 10n ** BigInt(3)];
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

test.each(['shared/core/x.ts', 'shared/formats/tabular/x.ts', 'shared/domains/serving/tasks/x.ts'])(
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
  expect(lint('local/x.ts', 'export const x = Math.exp(1);')).toEqual([]);
});

test('each exception has a reason, and is needed', () => {
  expect(
    config.overrides.flatMap(({ files, rules }) => (rules['slipway/exact-math'] === 'off' ? files : [])),
  ).toEqual(Object.keys(exceptions));
  for (const path of Object.keys(exceptions)) {
    const source = readFileSync(path, 'utf8');
    expect(lint(path, source)).toEqual([]);
    expect(lint('shared/x.ts', source), path).not.toEqual([]);
  }
});
