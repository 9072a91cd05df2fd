import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../shared/core/clock.ts';
import { systemIds } from '../shared/core/ids.ts';
import { createFolder } from './support/stores.ts';

/**
 * Runs the `@example` blocks of shared/: a line `expression // value` is a claim that is checked; lines without
 * a comment run before it. The exports of the file are in scope.
 */
const files = readdirSync('shared', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('shared', name));

type Evaluate = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => undefined).constructor as new (...source: string[]) => Evaluate;

const documented = files
  .map((file) => ({ file, examples: readExamples(readFileSync(file, 'utf8')) }))
  .filter(({ examples }) => examples.length > 0);

test('there are examples to run', () => {
  expect(documented.length).toBeGreaterThan(5);
});

describe.each(documented)('$file', ({ file, examples }) => {
  test.each(examples)('%s', async (example) => {
    const exported = (await import(resolve(file))) as Record<string, unknown>;
    const scope = Object.entries({ ...common(), ...exported }).filter(([name]) => name !== 'default');
    const run = (source: string) =>
      new AsyncFunction(...scope.map(([name]) => name), source)(...scope.map(([, value]) => value));
    let before = '';
    let claims = 0;
    for (const line of example.split('\n')) {
      const [, expression, value] = /^(.*?);?\s+\/\/ (.+)$/.exec(line) ?? [];
      if (expression === undefined || value === undefined) {
        before += `${line}\n`;
        continue;
      }
      claims += 1;
      expect(await run(`${before}return (${expression});`), line).toEqual(await run(`return (${value});`));
    }
    expect(claims, 'an example that claims nothing').toBeGreaterThan(0);
  });
});

/** Names that examples may use besides their file's exports. */
function common(): Record<string, unknown> {
  return { systemClock, systemIds, z, file: join(createFolder(), 'example.db') };
}

function readExamples(source: string): string[] {
  const comments = source.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  return comments.flatMap((comment) => {
    const text = comment
      .slice(3, -2)
      .split('\n')
      .map((line) => line.replace(/^\s*\* ?/, ''))
      .join('\n');
    return text
      .split(/^@example[^\S\n]*$/m)
      .slice(1)
      .map((block) => (block.split(/^@\w/m)[0] ?? '').trim());
  });
}
