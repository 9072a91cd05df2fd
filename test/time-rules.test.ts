import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CallExpression, type Expression, parseSync, type Super, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

/** No verdict depends on how fast the machine is: see "Tests and time" in CONTRIBUTING.md. */
const repository = join(import.meta.dirname, '..');
const files = globSync('test/**/*.ts', { cwd: repository }).filter(
  // Benchmarks measure time, and the crash test takes its own.
  (file) => !/^test\/(?:bench|crash|golden)\//.test(file),
);

const guarded = new Set(['test', 'it', 'describe', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach']);

/** Timeouts of tests, hooks and polls that the source gives itself, as numbers, beside the guard. */
function findTimeouts(source: string): readonly string[] {
  const found: string[] = [];
  const text = (node: { start: number; end: number }) => source.slice(node.start, node.end);
  new Visitor({
    CallExpression(node: CallExpression) {
      const root = rootOf(node.callee);
      // They would give up after a second of their own.
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
  }).visit(parseSync('a.test.ts', source).program);
  return found;
}

/** `test` of `test.skipIf(x).each(y)`. */
function rootOf(callee: Expression | Super): string {
  if (callee.type === 'MemberExpression') return rootOf(callee.object);
  if (callee.type === 'CallExpression') return rootOf(callee.callee);
  return callee.type === 'Identifier' ? callee.name : '';
}

test('tests leave timeouts to the guard', () => {
  const found = files.flatMap((file) =>
    findTimeouts(readFileSync(join(repository, file), 'utf8')).map((timeout) => `${file}: ${timeout}`),
  );
  expect(found).toEqual([]);
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
  expect(findTimeouts(source)).toHaveLength(1);
});

test.each([
  `test('a', async () => {}, hangGuardMs * 2);`,
  `test.each([1, 2])('a %s', () => {});`,
  `await expect.poll(() => 1, { interval: 200 }).toBe(1);`,
  `new DatabaseSync(file, { timeout: 5 });`,
])('%s is allowed', (source) => {
  expect(findTimeouts(source)).toEqual([]);
});
