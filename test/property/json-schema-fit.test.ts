import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { toJsonSchema } from '../../shared/core/json/json-schema.ts';
import { findMisfit } from '../../shared/core/json/json-schema-fit.ts';

/** A schema with an arbitrary of its values. */
interface Typed {
  readonly schema: z.ZodType;
  readonly values: fc.Arbitrary<unknown>;
}

const names = ['a', 'b', 'c'] as const;
const texts = ['x', 'y'] as const;

const leaves: fc.Arbitrary<Typed> = fc.constantFrom<Typed>(
  { schema: z.string(), values: fc.constantFrom('x', 'y', 'z', '') },
  { schema: z.number(), values: fc.constantFrom(0, 1, 1.5) },
  { schema: z.int(), values: fc.constantFrom(0, 1, 2) },
  { schema: z.boolean(), values: fc.boolean() },
  { schema: z.null(), values: fc.constant(null) },
  { schema: z.enum(texts), values: fc.constantFrom(...texts) },
  { schema: z.literal('x'), values: fc.constant('x') },
  { schema: z.literal(1), values: fc.constant(1) },
  { schema: z.unknown(), values: fc.constantFrom<unknown>(1, 'x', null, [], {}) },
);

const { typed } = fc.letrec<{ typed: Typed; object: Typed; array: Typed; union: Typed; record: Typed }>(
  (tie) => ({
    typed: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'typed' },
      leaves,
      tie('object'),
      tie('array'),
      tie('union'),
      tie('record'),
    ),
    object: fc
      .tuple(
        fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.boolean(), tie('typed')), {
          selector: ([name]) => name,
          maxLength: 3,
        }),
        fc.boolean(),
      )
      .map(([members, isStrict]) => {
        const shape = Object.fromEntries(
          members.map(([name, isOptional, { schema }]) => [name, isOptional ? schema.optional() : schema]),
        );
        const values = fc
          .tuple(
            ...members.map(([, isOptional, each]) => (isOptional ? fc.option(each.values) : each.values)),
          )
          .map((chosen) =>
            Object.fromEntries(
              members.flatMap(([name, isOptional], i) =>
                isOptional && chosen[i] === null ? [] : [[name, chosen[i]]],
              ),
            ),
          );
        return { schema: isStrict ? z.strictObject(shape) : z.object(shape), values };
      }),
    array: tie('typed').map(({ schema, values }) => ({
      schema: z.array(schema),
      values: fc.array(values, { maxLength: 2 }),
    })),
    union: fc.tuple(tie('typed'), tie('typed')).map(([a, b]) => ({
      schema: z.union([a.schema, b.schema]),
      values: fc.oneof(a.values, b.values),
    })),
    record: tie('typed').map(({ schema, values }) => ({
      schema: z.record(z.string(), schema),
      values: fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), values, { maxKeys: 2 }),
    })),
  }),
);

test('a schema that fits implies that its values are accepted', () => {
  let fitting = 0;
  fc.assert(
    fc.property(
      fc
        .tuple(typed, typed)
        .chain(([given, wanted]) =>
          given.values.map((value) => ({ given: given.schema, wanted: wanted.schema, value })),
        ),
      ({ given, wanted, value }) => {
        const written = given.safeParse(value);
        fc.pre(written.success);
        if (findMisfit(toJsonSchema(given, 'output'), toJsonSchema(wanted, 'input'))) return;
        fitting += 1;
        const read = wanted.safeParse(written.data);
        expect(read.success, JSON.stringify(read.error?.issues)).toBe(true);
      },
    ),
    { numRuns: 3_000 },
  );
  expect(fitting).toBeGreaterThan(100);
});

test('every schema fits itself', () => {
  fc.assert(
    fc.property(typed, ({ schema }) => {
      expect(findMisfit(toJsonSchema(schema, 'output'), toJsonSchema(schema, 'output'))).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test.each<[string, z.ZodType, z.ZodType, string, string]>([
  ['another type', z.string(), z.number(), '', 'is a string, not a number'],
  ['a number for an integer', z.number(), z.int(), '', 'is a number, not an integer'],
  [
    'a missing member',
    z.object({ a: z.string() }),
    z.object({ a: z.string(), b: z.int() }),
    'b',
    'is missing',
  ],
  [
    'an optional member',
    z.object({ a: z.string().optional() }),
    z.object({ a: z.string() }),
    'a',
    'is optional',
  ],
  [
    'a member of another type, deep inside',
    z.object({ a: z.array(z.object({ b: z.string() })) }),
    z.object({ a: z.array(z.object({ b: z.boolean() })) }),
    'a.*.b',
    'is a string, not a boolean',
  ],
  [
    'one alternative of two',
    z.object({ a: z.union([z.string(), z.null()]) }),
    z.object({ a: z.string() }),
    'a',
    'is null, not a string',
  ],
  ['any text for an enum', z.string(), z.enum(['x', 'y']), '', 'is a string, not "x"'],
  ['an extra member', z.object({ a: z.null() }), z.strictObject({}), 'a', 'is not allowed'],
  ['anything', z.unknown(), z.string(), '', 'may be anything, not a string'],
])('%s is a misfit with its place and reason', (_, given, wanted, path, reason) => {
  const misfit = findMisfit(toJsonSchema(given, 'output'), toJsonSchema(wanted, 'input'));
  expect([misfit?.path.join('.'), misfit?.reason]).toEqual([path, reason]);
});
