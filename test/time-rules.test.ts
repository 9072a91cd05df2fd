import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CallExpression,
  type Expression,
  parseSync,
  type Program,
  type Super,
  Visitor,
} from 'oxc-parser';
import { expect, test } from 'vitest';

/** No verdict depends on how fast the machine is: see "Tests and time" in CONTRIBUTING.md. */
const repository = join(import.meta.dirname, '..');
const files = globSync('test/**/*.ts', { cwd: repository }).filter(
  // Benchmarks measure time, and the crash test has its own limits.
  (file) => !/^test\/(?:bench|crash|golden)\//.test(file),
);

interface Source {
  readonly text: string;
  readonly program: Program;
}

const parse = (text: string): Source => ({ text, program: parseSync('a.test.ts', text).program });
const sources = new Map(files.map((file) => [file, parse(readFileSync(join(repository, file), 'utf8'))]));

const guarded = new Set(['test', 'it', 'describe', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach']);

/** Numeric timeouts of tests, hooks and polls besides the guard. */
function findTimeouts(source: Source): readonly string[] {
  const found: string[] = [];
  const text = (node: { start: number; end: number }) => source.text.slice(node.start, node.end);
  new Visitor({
    CallExpression(node: CallExpression) {
      const root = rootOf(node.callee);
      // These have a default timeout of a second.
      if (/^vi\.wait(?:For|Until)$/.test(text(node.callee))) found.push(text(node.callee));
      const isPoll = /^expect[^]*\.poll$/.test(text(node.callee));
      if (!isPoll && (!guarded.has(root) || text(node.callee).endsWith('.each'))) return;
      for (const argument of node.arguments.slice(1)) {
        const timeouts =
          argument.type === 'ObjectExpression'
            ? argument.properties.filter((property) => /^timeout\b/.test(text(property)))
            : [argument];
        for (const timeout of timeouts)
          if (/^(?:timeout: )?[\d(]/.test(text(timeout)) && !/=>|hangGuardMs/.test(text(timeout)))
            found.push(text(timeout));
      }
    },
  }).visit(source.program);
  return found;
}

/** Measurements of durations. */
function findMeasurements(source: Source): readonly string[] {
  const found: string[] = [];
  const text = (node: { start: number; end: number }) => source.text.slice(node.start, node.end);
  new Visitor({
    MemberExpression(node) {
      if (/^(?:performance\.now|process\.hrtime)$/.test(text(node))) found.push(text(node));
    },
    CallExpression(node: CallExpression) {
      if (
        text(node.callee) === 'expect' &&
        node.arguments.some((argument) => /Date\.now\(\) -/.test(text(argument)))
      )
        found.push(text(node));
    },
  }).visit(source.program);
  return found;
}

/** Calls of a timer. */
function findWaits(source: Source): readonly string[] {
  const found: string[] = [];
  new Visitor({
    CallExpression({ callee, start, end }: CallExpression) {
      const name = source.text.slice(callee.start, callee.end);
      if (/^(?:setTimeout|sleep|setInterval|clock\.sleep|systemClock\.sleep)$/.test(name))
        found.push(source.text.slice(start, end));
    },
  }).visit(source.program);
  return found;
}

/** Test files that wait nevertheless, and why this does not affect the outcome. */
const waits: Readonly<Record<string, string>> = {
  'test/contract/blobs.contract.ts': 'the service dates blobs in whole seconds',
  'test/contract/documents.test.ts': 'the clock of a real account cannot be moved',
  'test/contract/queue-service-bus-namespace.test.ts': 'the clock of a real namespace cannot be moved',
  'test/e2e/artifacts.test.ts': 'an upload breaks off later than it could',
  'test/e2e/racing-ingestions.test.ts': 'retries are spread, as in pipelines',
  'test/host/bodies.test.ts': 'a caller pauses for longer than a limit',
  'test/unit/core/async.test.ts': 'the timers themselves are under test',
  'test/unit/datasets/reading/hostile-sql.test.ts':
    'a query that never ends runs for a while before it is stopped',
  'test/unit/queue/sqlite.test.ts': 'a manual clock lets its poll loop turn',
  'test/unit/retention/retention.test.ts': 'the clock is manual',
};

/** `test` of `test.skipIf(x).each(y)`. */
function rootOf(callee: Expression | Super): string {
  if (callee.type === 'MemberExpression') return rootOf(callee.object);
  if (callee.type === 'CallExpression') return rootOf(callee.callee);
  return callee.type === 'Identifier' ? callee.name : '';
}

test('tests leave timeouts to the guard', () => {
  const found = [...sources].flatMap(([file, source]) =>
    findTimeouts(source).map((timeout) => `${file}: ${timeout}`),
  );
  expect(found).toEqual([]);
});

test('no test measures time', () => {
  const found = [...sources].flatMap(([file, source]) =>
    findMeasurements(source).map((code) => `${file}: ${code}`),
  );
  expect(found).toEqual([]);
});

test('tests await events instead of fixed delays', () => {
  const waiting = [...sources].filter(
    ([file, source]) => /\.(?:test|contract)\.ts$/.test(file) && findWaits(source).length > 0,
  );
  expect(waiting.map(([file]) => file).sort()).toEqual(Object.keys(waits).sort());
});

test.each([
  'const before = performance.now();',
  'process.hrtime.bigint()',
  'expect(Date.now() - before).toBeLessThan(2_000);',
])('%s would be found', (source) => {
  expect(findMeasurements(parse(source))).toHaveLength(1);
});

test.each([
  'await sleep(100);',
  'await new Promise((resolve) => setTimeout(resolve, 50));',
  'await systemClock.sleep(900);',
])('%s would be found as a wait', (source) => {
  expect(findWaits(parse(source))).toHaveLength(1);
});

test.each([
  `test('a', async () => {}, 5_000);`,
  `test.skipIf(x)('a', async () => {}, 60_000 + 5);`,
  `it.each([1])('a', { timeout: 1_000 }, () => {});`,
  `describe('a', { timeout: 30_000, concurrent: true }, () => {});`,
  `beforeAll(async () => {}, 1_000);`,
  `await expect.poll(() => 1, { timeout: 1_000 }).toBe(1);`,
  `await vi.waitFor(() => {});`,
])('%s would be found', (source) => {
  expect(findTimeouts(parse(source))).toHaveLength(1);
});

test.each([
  `test('a', async () => {}, hangGuardMs * 2);`,
  `test.each([1, 2])('a %s', () => {});`,
  `await expect.poll(() => 1, { interval: 200 }).toBe(1);`,
  `new DatabaseSync(file, { timeout: 5 });`,
])('%s is allowed', (source) => {
  expect(findTimeouts(parse(source))).toEqual([]);
});
