import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { AppError } from '../../shared/core/errors.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { parseBindingTemplate } from '../../local/settings/binding-template.ts';
import { parseCliOptions } from '../../local/cli/options.ts';
import { cleanDataDir, lockDataDir } from '../../local/data-dir.ts';
import { readHostJson } from '../../local/settings/host-json.ts';
import { startHost } from '../../local/host.ts';
import { createRouter } from '../../local/http/router.ts';
import { mergeSettings, readLocalSettings } from '../../local/settings/app-settings.ts';
import { buildFunctionTable } from '../../local/worker/function-table.ts';
import { createRegistrations } from '../../local/worker/core-api.ts';
import { findEntryPoints } from '../../local/worker/load.ts';

const root = mkdtempSync(join(tmpdir(), 'slipway-config-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const makeApp = (files: Readonly<Record<string, unknown>>): string => {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
};
const bundle = { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.30.0, 5.0.0)' };
const hostJson = (more: object): string =>
  makeApp({ 'host.json': { version: '2.0', extensionBundle: bundle, ...more } });
const message = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('trap 11: overlapping routes', () => {
  const overlap = (...templates: readonly (readonly [string, string?])[]): string =>
    message(() =>
      createRouter(
        'api',
        templates.map(([template, method], index) => ({
          name: `f${index}`,
          template,
          methods: method ? [method] : undefined,
          target: index,
        })),
      ),
    );

  test.each([
    ['a/{x}', 'a/b'],
    ['a/{x}', 'a/{y:int}'],
    ['a/{x?}', 'a'],
    ['{*rest}', 'a/b/c'],
    ['a/{*rest}', 'A/{x:guid}/c'],
    ['a/v{n}', 'a/v2'],
    ['a/{x?}', 'a/{y?}'],
  ])('%s and %s', (a, b) => {
    expect(overlap([a], [b])).toMatch(/f0 .* and f1 .* can match the same request/);
    expect(overlap([b], [a])).toMatch(/can match the same request/);
    expect(overlap([a, 'GET'], [b, 'POST'])).toBe('no error');
  });

  test.each([
    ['a/{x:int}', 'a/b'],
    ['a/{x:int}', 'a/{y:alpha}'],
    ['a/{x}', 'a/{x}/b'],
    ['a/v{n}', 'a/w2'],
    ['{root:maxlength(0)?}', 'a'],
  ])('%s and %s do not overlap', (a, b) => {
    expect(overlap([a], [b])).toBe('no error');
  });

  test('reserved prefixes, unknown constraints and misplaced parameters are reported together', () => {
    const text = message(() =>
      createRouter('', [
        { name: 'one', template: 'admin/x', methods: undefined, target: 1 },
        { name: 'two', template: 'Runtime', methods: undefined, target: 2 },
        { name: 'three', template: 'a/{x:colour}', methods: undefined, target: 3 },
        { name: 'four', template: '{*all}/b', methods: undefined, target: 4 },
        { name: 'five', template: 'a/{x', methods: undefined, target: 5 },
      ]),
    );
    for (const part of [
      'one: routes under "admin"',
      'two: routes under "runtime"',
      'colour',
      '{*…} can only be the last',
      'braces',
    ])
      expect(text).toContain(part);
  });

  test('constraints as in ASP.NET Core', () => {
    const fits = (constraint: string, value: string): boolean =>
      createRouter('', [{ name: 'f', template: `x/{v:${constraint}}`, methods: undefined, target: 1 }]).match(
        'GET',
        `/x/${value}`,
      ) !== undefined;
    const cases: readonly (readonly [string, string, string])[] = [
      ['int', '-12', '1.5'],
      ['long', '9223372036854775807', '9223372036854775808'],
      ['bool', 'TRUE', 'yes'],
      ['guid', 'CD2C1638-1638-72D5-1638-DEADBEEF1638', 'cd2c'],
      ['alpha', 'Rick', 'R2'],
      ['double', '-1,001.01e8'.replace(',', ''), 'x'],
      ['datetime', '2016-12-31', 'someday'],
      ['minlength(4)', 'Rick', 'Ric'],
      ['maxlength(3)', 'Ric', 'Rick'],
      ['length(3)', 'Ric', 'Rick'],
      ['length(2,3)', 'Ri', 'Rick'],
      ['min(18)', '19', '17'],
      ['max(120)', '91', '121'],
      ['range(18,120)', '91', '121'],
      ['regex(^\\d{3}-\\d{2}$)', '123-45', '123-4'],
      ['int:min(5)', '5', '4'],
    ];
    for (const [constraint, good, bad] of cases)
      expect([constraint, fits(constraint, good), fits(constraint, bad)]).toEqual([constraint, true, false]);
  });
});

test('trap 11: any table of routes finds what a comparison of all segments finds', () => {
  const segment = fc.constantFrom('a', 'b', 'A', '{x}', '{n:int}', 'v{x}');
  const template = fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('', '', '{last?}', '{*rest}'))
    .map(([segments, end]) => [
      ...segments.map((text, index) => text.replace(/[xn]/, (name) => name + index)),
      end,
    ])
    .map((segments) => segments.filter(Boolean).join('/'));
  const part = fc.constantFrom('a', 'B', '7', 'v1', 'a%2Fb', '', 'c');
  const path = fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const matches = (text: string, parts: readonly string[]): boolean => {
    const segments = text.split('/').filter(Boolean);
    const rest = segments.indexOf('{*rest}');
    const fits = (one: string | undefined, value: string | undefined): boolean => {
      if (one === '{last?}' && value === undefined) return true;
      if (one === undefined || !value) return false;
      if (one.startsWith('{n')) return /^\d+$/.test(value);
      if (one.startsWith('v')) return /^v./i.test(value);
      return one.startsWith('{') || one.toLowerCase() === value.toLowerCase();
    };
    const length = rest === -1 ? Math.max(segments.length, parts.length) : rest;
    return Array.from({ length }, (_, index) => fits(segments[index], parts[index])).every(Boolean);
  };
  const route = (text: string) => ({ name: text, template: text, methods: undefined, target: text });
  fc.assert(
    fc.property(
      fc.uniqueArray(template, { maxLength: 5 }),
      fc.array(path, { minLength: 5 }),
      (templates, paths) => {
        const isOverlapping = message(() => createRouter('', templates.map(route))) !== 'no error';
        const router = createRouter('', (isOverlapping ? templates.slice(0, 1) : templates).map(route));
        for (const one of paths) {
          const parts = one.slice(1).replace(/\/+$/, '').split('/').map(decodeURIComponent);
          const given = parts.length === 1 && parts[0] === '' ? [] : parts;
          const expected = (isOverlapping ? templates.slice(0, 1) : templates).filter((text) =>
            matches(text, given),
          );
          expect(
            [router.match('GET', one)?.target].filter((found) => found !== undefined),
            one,
          ).toEqual(expected);
        }
      },
    ),
    { numRuns: 500, examples: [[['a/b'], ['/a%2Fb']]] },
  );
});

describe('trap 14: function names', () => {
  const table = (...names: readonly string[]): string => {
    const registrations = createRegistrations(() => {});
    const trigger = { type: 'timerTrigger', direction: 'in' } as const;
    for (const name of names)
      registrations.functions.set(name, { metadata: { name, bindings: { trigger } }, callback: () => {} });
    return message(() => buildFunctionTable(registrations));
  };
  test('a letter, then letters, digits, "_" and "-", 128 at most', () => {
    expect(table('a', 'B-2_c', 'x'.repeat(128))).toBe('no error');
    for (const name of ['', '1a', 'a b', 'a.b', 'ä', 'x'.repeat(129)])
      expect(table(name)).toContain('is not a valid function name');
  });
  test('unique without regard to case', () => {
    expect(table('Score', 'score')).toContain('differ only in case');
  });
});

describe('trap 20: configuration', () => {
  test('%SETTING% is replaced everywhere, and a missing one is named', () => {
    const folder = hostJson({
      extensions: { durableTask: { hubName: '%HUB%x' }, http: { routePrefix: '%PREFIX%' } },
    });
    expect(readHostJson(folder, { HUB: 'h', PREFIX: '/p/' })).toMatchObject({
      durableTask: { hubName: 'hx' },
      routePrefix: 'p',
    });
    expect(message(() => readHostJson(folder, { HUB: 'h' }))).toContain(
      '%PREFIX%: the app setting "PREFIX" is not set',
    );
  });

  test('unknown keys are refused, all named at once', () => {
    const folder = hostJson({
      http: {},
      functionTimeOut: '1',
      extensions: { serviceBus: { maxConcurentCalls: 1 }, kafka: {} },
    });
    const text = message(() => readHostJson(folder, {}));
    for (const key of [
      '"http"',
      '"functionTimeOut"',
      '"extensions.serviceBus.maxConcurentCalls"',
      '"extensions.kafka"',
    ])
      expect(text).toContain(key);
  });

  test.each(['[4.0.0, 5.0.0)', '[4.29.9, 5.0.0)', '[3.99.0, 4.0.0)', '4.*', undefined])(
    'bundle %s is refused',
    (version) => {
      const folder = hostJson({ extensionBundle: { ...bundle, version } });
      expect(message(() => readHostJson(folder, {}))).toContain('extensionBundle.version');
    },
  );
  test.each(['[4.30.0, 5.0.0)', '[4.31.2, 5.0.0)', '[5.0.0, 6.0.0)'])('bundle %s is accepted', (version) => {
    expect(message(() => readHostJson(hostJson({ extensionBundle: { ...bundle, version } }), {}))).toBe(
      'no error',
    );
  });

  test("defaults are the real host's", () => {
    expect(readHostJson(hostJson({}), {})).toMatchObject({
      routePrefix: 'api',
      functionTimeoutMs: 1_800_000,
      blobs: { poisonBlobThreshold: 5 },
    });
  });

  test("the platform's own host.json is valid", () => {
    const read = readHostJson(join(import.meta.dirname, '../..'), { TASK_HUB_NAME: 'Hub' });
    expect(read).toMatchObject({
      routePrefix: '',
      durableTask: { hubName: 'Hub', versionMatchStrategy: 'CurrentOrOlder' },
    });
  });

  test('{name} extracts values from paths greedily, and inserts them', () => {
    expect(parseBindingTemplate('{a}/{b}.csv').read('x/y/z.1.csv')).toEqual({ a: 'x/y', b: 'z.1' });
    expect(parseBindingTemplate('{{x}}-{a}').read('{x}-1')).toEqual({ a: '1' });
    expect(parseBindingTemplate('a').read('b')).toBeUndefined();
    expect(parseBindingTemplate('out/{Name}.json').write({ name: 'n' })).toBe('out/n.json');
    for (const bad of ['{', 'a}', '{}', '{*rest}', '{a}{a}'])
      expect(message(() => parseBindingTemplate(bad))).toContain('Binding path');
  });

  test('local.settings.json and the environment', () => {
    const folder = makeApp({
      'local.settings.json': { Values: { A: 'file', B: 'file' } },
      'bad.json': '{',
      'number.json': { Values: { A: 1 } },
    });
    expect(
      mergeSettings(
        { B: 'env' },
        { A: 'default', C: 'default' },
        readLocalSettings(join(folder, 'local.settings.json')),
      ),
    ).toEqual({
      A: 'file',
      B: 'env',
      C: 'default',
    });
    expect(readLocalSettings(join(folder, 'missing.json'))).toEqual({});
    expect(message(() => readLocalSettings(join(folder, 'bad.json')))).toContain('not JSON');
    expect(message(() => readLocalSettings(join(folder, 'number.json')))).toContain('A');
  });
});

describe('trap 21: the main glob', () => {
  test('matching files are loaded by name; no match is an error', () => {
    const folder = makeApp({ 'package.json': { main: '{b,a}.js' }, 'a.js': '', 'b.js': '', 'c.js': '' });
    expect(findEntryPoints(folder)).toEqual(['a.js', 'b.js']);
    expect(message(() => findEntryPoints(makeApp({ 'package.json': { main: 'dist/*.js' } })))).toMatch(
      /matches no file.*npm run build/,
    );
    expect(message(() => findEntryPoints(makeApp({ 'package.json': {} })))).toContain('no "main"');
    expect(message(() => findEntryPoints(join(root, 'nowhere')))).toContain('package.json is missing');
  });
});

describe('the data folder', () => {
  test('is for one host at a time, and a second one is refused', () => {
    const folder = makeApp({});
    const lock = lockDataDir(folder);
    expect(message(() => lockDataDir(folder))).toMatch(
      new RegExp(`Another host \\(process ${process.pid}\\)`),
    );
    lock.release();
    lockDataDir(folder).release();
  });

  test('--clean deletes only what the platform created', () => {
    const folder = makeApp({ 'host.db': 'x', 'keys.json': 'x', 'thesis.txt': 'mine' });
    cleanDataDir(folder);
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
  });
});

describe('starting', () => {
  const start = (appDir: string, dataDir = makeApp({})) =>
    startHost({ appDir, dataDir, port: 0, settings: {}, log: silentLogger });

  test('a missing build or host.json and a broken file give a one-sentence error each, and release the folder', async () => {
    const dataDir = makeApp({});
    await expect(start(makeApp({}), dataDir)).rejects.toThrow('no host.json');
    await expect(start(hostJson({}), dataDir)).rejects.toThrow('package.json is missing');
    const broken = makeApp({
      'host.json': { version: '2.0', extensionBundle: bundle },
      'package.json': { main: 'x.cjs' },
      'x.cjs': 'throw new Error("boom")',
    });
    await expect(start(broken, dataDir)).rejects.toThrow('Loading x.cjs failed: boom');
    lockDataDir(dataDir).release();
  });

  test('a body limit that is not a number is refused instead of ignored', async () => {
    const appDir = makeApp({
      'host.json': { version: '2.0', extensionBundle: bundle },
      'package.json': { main: 'app.cjs' },
      'app.cjs': `require(${JSON.stringify(join(import.meta.dirname, '../../node_modules/@azure/functions'))})
        .app.http('f', { authLevel: 'anonymous', handler: () => ({}) });`,
    });
    const settings = { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '100 MB' };
    await expect(
      startHost({ appDir, dataDir: makeApp({}), port: 0, settings, log: silentLogger }),
    ).rejects.toThrow('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is "100 MB"');
  });

  test('flags', () => {
    expect(parseCliOptions(['--port', '0', '--data-dir', 'd', '--clean'], '/w')).toMatchObject({
      port: 0,
      dataDir: '/w/d',
      clean: true,
      appDir: '/w',
    });
    expect(message(() => parseCliOptions(['--prot', '1'], '/w'))).toMatch(/--prot/);
    for (const port of ['x', '-1', '65536', '1.5'])
      expect(message(() => parseCliOptions([`--port=${port}`], '/w'))).toContain(
        '--port must be a number from 0 to 65535',
      );
  });
});
