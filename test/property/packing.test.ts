import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp } from '../../shared/core/timestamps.ts';
import { checkInputs } from '../../shared/domains/serving/check-inputs.ts';
import { readTensors } from '../../shared/domains/serving/json/read-tensors.ts';
import { writeTensors } from '../../shared/domains/serving/json/write-tensors.ts';
import type { ModelValue } from '../../shared/domains/serving/model-value.ts';
import { packRows } from '../../shared/domains/serving/pack-rows.ts';
import type { ColumnType, Signature } from '../../shared/domains/serving/signature.ts';
import {
  countElements,
  createTensor,
  type Tensor,
  type TensorType,
} from '../../shared/domains/serving/tensor.ts';

const limits = { maxRows: 100 };

/** A column, its model input, and how to make its values. */
const kinds = {
  number: { tensor: 'float32', value: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  integer: { tensor: 'int64', value: fc.maxSafeInteger() },
  string: { tensor: 'string', value: fc.string({ unit: 'grapheme' }) },
  boolean: { tensor: 'float32', value: fc.boolean() },
} as const satisfies Partial<Record<ColumnType, unknown>>;
type Kind = keyof typeof kinds;

const table = fc
  .uniqueArray(
    fc.tuple(fc.string({ minLength: 1 }), fc.constantFrom<Kind>('number', 'integer', 'string', 'boolean')),
    {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 6,
    },
  )
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(fc.tuple(...columns.map(([, kind]): fc.Arbitrary<unknown> => kinds[kind].value)), {
        minLength: 1,
        maxLength: 20,
      }),
    }),
  );

/** `Object.fromEntries` would set the prototype for a column named `__proto__`. */
function toRecord(columns: readonly (readonly [string, Kind])[], values: readonly unknown[]): object {
  const record = {};
  for (const [i, [name]] of columns.entries())
    Object.defineProperty(record, name, { value: values[i], enumerable: true });
  return record;
}

function toSignature(columns: readonly (readonly [string, Kind])[]): Signature {
  return {
    columns: columns.map(([name, type]) => ({ name, type })),
    inputs: columns.map(([name, kind], i) => ({
      name: `input ${i}`,
      tensor: kinds[kind].tensor,
      column: name,
    })),
  };
}

test('packing keeps every value, at its row and column', () => {
  fc.assert(
    fc.property(table, ({ columns, rows }) => {
      const records = rows.map((values) => toRecord(columns, values));
      const packed = packRows(toSignature(columns), records, limits);
      expect(packed.rows).toBe(rows.length);
      for (const [i, [, kind]] of columns.entries())
        for (const [r, values] of rows.entries()) {
          const got = packed.columns[i]?.data[r];
          if (kind === 'boolean') expect(got).toBe(values[i] === true ? 1 : 0);
          else if (kind === 'integer') expect(Number(got)).toBe(Number(values[i]) + 0);
          else expect(got).toBe(values[i]);
        }
    }),
  );
});

test('a row packs the same alone and among others', () => {
  fc.assert(
    fc.property(table, ({ columns, rows }) => {
      const signature = toSignature(columns);
      const records = rows.map((values) => toRecord(columns, values));
      const together = packRows(signature, records, limits);
      for (const [r, record] of records.entries()) {
        const alone = packRows(signature, [record], limits);
        for (const [i, column] of alone.columns.entries())
          expect(column.data[0]).toBe(together.columns[i]?.data[r]);
      }
    }),
  );
});

test('packing throws nothing but AppError, on any input', () => {
  const signature = toSignature([
    ['a', 'number'],
    ['b', 'string'],
  ]);
  const cell = fc.anything();
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.array(fc.record({ a: cell, b: cell }))), (rows) => {
      try {
        packRows(signature, rows, limits);
      } catch (error) {
        expect(error).toMatchObject({ name: 'AppError' });
      }
    }),
  );
});

test('parses every ISO timestamp in any zone', () => {
  const date = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
  fc.assert(
    fc.property(date, fc.integer({ min: -1439, max: 1439 }), (moment, offsetMinutes) => {
      expect(parseTimestamp(moment.toISOString())).toBe(moment.getTime());
      const local = new Date(moment.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
      const distance = Math.abs(offsetMinutes);
      const two = (value: number) => String(value).padStart(2, '0');
      const zone = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(distance / 60))}:${two(distance % 60)}`;
      expect(parseTimestamp(local + zone)).toBe(moment.getTime());
    }),
  );
});

/** JSON.stringify writes -0 as 0. */
const withoutSign = (value: number) => value + 0;

/** Any element that each type can hold. */
const elements: { readonly [Type in TensorType]: fc.Arbitrary<unknown> } = {
  float32: fc.float().map(withoutSign),
  float64: fc.double().map(withoutSign),
  float16: fc.integer({ min: 0, max: 0x7c00 }),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint8: fc.nat(255),
  uint16: fc.nat(65535),
  uint32: fc.integer({ min: 0, max: 4294967295 }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  bool: fc.constantFrom(0, 1),
  string: fc.string({ unit: 'grapheme' }),
};

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(elements) as TensorType[])),
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  )
  .chain(([type, shape]) => {
    const length = countElements(shape);
    return fc.array(elements[type], { minLength: length, maxLength: length }).map((values) => {
      const tensor = createTensor(type, shape);
      for (const [index, value] of values.entries()) (tensor.data as unknown[])[index] = value;
      return tensor;
    });
  });

function flatten(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data.flatMap(flatten) : [data];
}

test('every tensor survives its JSON, nested or flat, with its shape or without', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), anyTensor, { maxKeys: 3 }),
      fc.boolean(),
      async (tensors, isFlat) => {
        const expected = new Map(Object.entries(tensors));
        const inputs: ModelValue[] = Array.from(expected, ([name, { type, shape }]) => ({
          name,
          type,
          shape,
        }));
        const written = JSON.parse(JSON.stringify(writeTensors(expected))) as ReturnType<typeof writeTensors>;
        const sent = Object.fromEntries(
          Object.entries(written).map(([name, { type, shape, data }]) => [
            name,
            shape.includes(0) || isFlat
              ? { type, shape, data: shape.length === 0 ? data : flatten(data) }
              : { data },
          ]),
        );
        const read = await readTensors(inputs, sent, { maxElements: 10_000 });
        expect(read).toEqual(expected);
        checkInputs(inputs, read);
      },
    ),
    { numRuns: 1000 },
  );
});

test('reading tensors throws nothing but AppError, on any input', async () => {
  const inputs: readonly ModelValue[] = [
    { name: 'a', type: 'float32', shape: ['n', 2] },
    { name: 'b', type: 'int64', shape: null },
  ];
  const spec = fc.oneof(
    fc.anything(),
    fc.record({
      data: fc.oneof(fc.anything(), fc.array(fc.array(fc.anything()))),
      shape: fc.oneof(fc.constant(undefined), fc.array(fc.integer({ min: -1, max: 3 }))),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything(), fc.record({ a: spec, b: spec })), async (value) => {
      try {
        checkInputs(inputs, await readTensors(inputs, value, { maxElements: 100 }));
      } catch (error) {
        expect(error).toMatchObject({ name: 'AppError' });
      }
    }),
    { numRuns: 1000 },
  );
});
