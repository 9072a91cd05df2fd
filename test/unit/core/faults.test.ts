import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isAppError } from '../../../shared/core/errors.ts';
import type { Fault } from '../../../shared/core/faults.ts';
import { validate } from '../../../shared/core/validate.ts';

const schema = z.strictObject({
  mode: z.enum(['append', 'overwrite', 'merge']).optional(),
  gate: z
    .union([
      z.literal('none'),
      z.strictObject({ metric: z.string(), atLeast: z.number() }),
      z.strictObject({ metric: z.string(), atMost: z.number() }),
    ])
    .optional(),
  steps: z.array(z.strictObject({ name: z.string(), uses: z.string().optional() })).optional(),
  shape: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('circle'), radius: z.number() }),
      z.strictObject({ kind: z.literal('square'), side: z.number() }),
    ])
    .optional(),
  labels: z.record(z.string(), z.strictObject({ text: z.string() })).optional(),
});

describe('a fault', () => {
  test.each<[string, unknown, Partial<Fault>]>([
    [
      'at the top',
      { gaet: 'none' },
      { at: 'gaet', didYouMean: 'gate', known: ['mode', 'gate', 'steps', 'shape', 'labels'] },
    ],
    [
      'in a list',
      { steps: [{ name: 'a' }, { nmae: 'b' }] },
      { at: 'steps[1].nmae', didYouMean: 'name', known: ['name', 'uses'] },
    ],
    ['in a map', { labels: { en: { txt: 'a' } } }, { at: 'labels.en.txt', didYouMean: 'text' }],
    [
      'in the closest alternative',
      { gate: { metric: 'auc', atLest: 1 } },
      { at: 'gate.atLest', didYouMean: 'atLeast' },
    ],
    [
      'of an option',
      { mode: 'overwriet' },
      { at: 'mode', didYouMean: 'overwrite', known: ['append', 'overwrite', 'merge'] },
    ],
    [
      'of the discriminator',
      { shape: { kind: 'cirlce' } },
      { at: 'shape.kind', didYouMean: 'circle', known: ['circle', 'square'] },
    ],
  ])('%s names its place, the nearest known name and all known ones', (_, value, expected) => {
    const fault = faultsOf(value).find(({ didYouMean }) => didYouMean !== undefined);
    expect(fault).toMatchObject(expected);
    expect(fault?.message).toContain(`did you mean "${expected.didYouMean}"?`);
  });

  test('never suggests a key that is already used', () => {
    expect(faultsOf({ gate: 'none', gaet: 'none' })).toMatchObject([{ at: 'gaet' }]);
    expect(faultsOf({ gate: 'none', gaet: 'none' })[0]?.didYouMean).toBeUndefined();
  });

  test('names every unknown key and every other fault', () => {
    expect(faultsOf({ gaet: 1, setps: 2, mode: 'x', steps: [{}] }).map(({ at }) => at)).toEqual([
      'mode',
      'steps[0].name',
      'gaet',
      'setps',
    ]);
  });

  test('is listed with at most 19 others, however many keys are unknown', () => {
    const value = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, i]));
    expect(faultsOf(value)).toHaveLength(20);
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])('names the key "%s"', (key) => {
    expect(faultsOf({ [key]: 1 })).toMatchObject([{ at: key }]);
  });
});

function faultsOf(value: unknown): readonly Fault[] {
  try {
    validate(schema, value, 'body');
  } catch (error) {
    if (isAppError(error, 'INVALID_ARGUMENT')) return error.details['faults'] as readonly Fault[];
    throw error;
  }
  throw new Error('the body is valid');
}
