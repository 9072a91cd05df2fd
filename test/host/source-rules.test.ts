import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

/** Rules that the SDK cannot enforce at run time, enforced on the sources of the app. */
const repository = join(import.meta.dirname, '../..');
const functionFiles = readdirSync(join(repository, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('functions', name));
const orchestratorFiles = [
  ...functionFiles.filter((name) => name.endsWith('.durable.ts')),
  'shared/domains/pipelines/orchestrate.ts',
];

/** Operations that are banned in generators (orchestrators), because every replay would see other values. */
function findForbidden(source: string): readonly string[] {
  const found: string[] = [];
  const { program } = parseSync('orchestrator.ts', source);
  const generators: { start: number; end: number }[] = [];
  const isInGenerator = (start: number): boolean =>
    generators.some((generator) => generator.start <= start && start < generator.end);
  const note = (node: { start: number; end: number }): void => {
    if (isInGenerator(node.start)) found.push(source.slice(node.start, node.end));
  };
  const enter = (node: { generator: boolean; start: number; end: number }): void => {
    if (node.generator) generators.push(node);
  };
  new Visitor({
    FunctionDeclaration: enter,
    FunctionExpression: enter,
    AwaitExpression: note,
    CallExpression(node) {
      const callee = source.slice(node.callee.start, node.callee.end);
      const clock = /^(Date|Date\.now|performance\.now|Math\.random|crypto\.\w+|fetch|setTimeout)$/;
      if (clock.test(callee)) note(node);
    },
    NewExpression(node) {
      if (node.arguments.length === 0 && source.slice(node.callee.start, node.callee.end) === 'Date')
        note(node);
    },
    MemberExpression(node) {
      if (source.slice(node.start, node.end).startsWith('process.env')) note(node);
    },
  }).visit(program);
  return found;
}

/** Members of the SDK that are banned everywhere. */
function findBanned(source: string): readonly string[] {
  return source.match(/\bretryTimeoutInMilliseconds\b|\.callHttp\b|\bdf\.lock\b|\.rewind\(/g) ?? [];
}

const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

describe('trap 9: the code of orchestrators', () => {
  test.each(orchestratorFiles)('%s reads nothing but its history', (file) => {
    const source = read(file);
    expect(source).toContain('function*');
    expect(findForbidden(source)).toEqual([]);
  });

  test.each([
    'Date.now()',
    'new Date()',
    'Math.random()',
    'performance.now()',
    'fetch("x")',
    'crypto.randomUUID()',
    'process.env.X',
  ])('%s would be found', (code) => {
    expect(findForbidden(`export function* f() { yield () => ${code}; }`)).not.toEqual([]);
    expect(findForbidden(`export function f() { return ${code}; }`)).toEqual([]);
  });
});

test('trap 3: no function uses a retry timeout or another feature that hangs or is unimplemented', () => {
  expect(functionFiles.filter((file) => findBanned(read(file)).length > 0)).toEqual([]);
});

test('trap 3: the rules find what they ban', () => {
  expect(
    findBanned('retry.retryTimeoutInMilliseconds = 5; df.callHttp(x); df.lock(y); client.rewind(id)'),
  ).toEqual(['retryTimeoutInMilliseconds', '.callHttp', 'df.lock', '.rewind(']);
});

test('trap 12: every app.http call states its authLevel, which the SDK otherwise sets to "anonymous"', () => {
  const calls = functionFiles.flatMap((file) => {
    const source = read(file);
    const found: string[] = [];
    new Visitor({
      CallExpression(node) {
        const callee = source.slice(node.callee.start, node.callee.end);
        if (/^(functionsApp|app)\.(http|get|post|put|patch|deleteRequest)$/.test(callee))
          found.push(source.slice(node.start, node.end));
      },
    }).visit(parseSync(file, source).program);
    return found;
  });
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.filter((call) => !/\bauthLevel\b/.test(call))).toEqual([]);
});
