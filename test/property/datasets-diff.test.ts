import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column } from '../../shared/domains/datasets/schema/column.ts';
import { createRowDiffer } from '../../shared/adapters/duckdb/diffing/row-differ.ts';
import { writeParquetFile, type TestValue } from '../support/datasets/parquet-table.ts';

const columns: readonly Column[] = [
  { name: 'k', type: 'int64', nullable: true },
  { name: 'odd \'name"', type: 'string', nullable: true },
  { name: 'x', type: 'double', nullable: true },
  { name: 'd', type: 'decimal(20,2)', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
];
const differ = createRowDiffer({ threads: 2, memoryLimitMb: 128 });

const value = {
  int64: fc.option(fc.constantFrom('1', '2', '3', '9007199254740993', '-9223372036854775808')),
  string: fc.option(fc.constantFrom('', 'a', "it's", '🚀', '日本')),
  double: fc.option(fc.constantFrom('0', '-0.0', '1.5', 'nan', 'inf', '-inf', '5e-324')),
  decimal: fc.option(fc.constantFrom('0.00', '1.50', '123456789012345678.99')),
  timestamp: fc.option(fc.constantFrom('1969-12-31 23:59:59.999999+00', '2026-01-02 03:04:05.000001+00')),
};
const row = fc.tuple(value.int64, value.string, value.double, value.decimal, value.timestamp);
const table = fc.array(row, { maxLength: 12 });

/** The platform's text of a value, implemented independently: rows are equal when these texts are. */
function toPlatformValue(cell: TestValue, column: number): unknown {
  if (cell === null) return null;
  const text = String(cell);
  const type = columns[column]?.type;
  if (type === 'int64') return text.length < 10 ? Number(text) : text;
  if (type === 'double')
    return { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[text] ?? Number(text) + 0;
  return type === 'timestamp' ? text.replace(' ', 'T').replace('+00', 'Z') : text;
}

interface Difference extends Record<string, unknown> {
  readonly kind: string;
}
type Row = readonly TestValue[];
const valuesOf = (cells: Row) => cells.map(toPlatformValue);
const identity = (cells: Row) => JSON.stringify(valuesOf(cells));

describe('the difference of rows equals a naive comparison', () => {
  test('without keys', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, async (before, after) => {
        const tables = await Promise.all([before, after].map((rows) => writeTable(rows)));
        const found = await differ.diff(tables[0]!, tables[1]!, { keys: [], offset: 0, limit: 100 });
        const count = (rows: readonly Row[]) => {
          const counts = new Map<string, number>();
          for (const one of rows) counts.set(identity(one), (counts.get(identity(one)) ?? 0) + 1);
          return counts;
        };
        const [was, is] = [count(before), count(after)];
        const all = [...new Set([...was.keys(), ...is.keys()])].map((key) => ({
          key,
          before: was.get(key) ?? 0,
          after: is.get(key) ?? 0,
        }));
        const sum = (part: (one: (typeof all)[number]) => number) =>
          all.reduce((total, one) => total + part(one), 0);
        expect(found.counts).toEqual({
          added: sum((one) => Math.max(0, one.after - one.before)),
          removed: sum((one) => Math.max(0, one.before - one.after)),
          changed: 0,
          unchanged: sum((one) => Math.min(one.before, one.after)),
        });
        const differing = all.filter((one) => one.before !== one.after);
        const expected = differing.map((one) => ({
          kind: one.before > one.after ? 'removed' : 'added',
          row: JSON.parse(one.key) as unknown,
          before: one.before,
          after: one.after,
        }));
        expect(sortByText(found.rows)).toEqual(sortByText(expected));
        expect(found.left).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test.each([[[0]], [[1]], [[2, 0]], [[4, 3]]])('with the keys %j', async (places) => {
    const unique = fc.uniqueArray(row, {
      maxLength: 12,
      selector: (cells) => JSON.stringify(places.map((place) => valuesOf(cells)[place])),
    });
    await fc.assert(
      fc.asyncProperty(unique, unique, async (before, after) => {
        const [a, b] = [await writeTable(before), await writeTable(after)];
        const keys = places.map((place) => columns[place]!.name);
        const whole = await differ.diff(a, b, { keys, offset: 0, limit: 100 });
        const keyOf = (cells: Row) => JSON.stringify(places.map((place) => valuesOf(cells)[place]));
        const [was, is] = [before, after].map(
          (rows) => new Map(rows.map((one) => [keyOf(one), valuesOf(one)])),
        );
        const expected = [...new Set([...was!.keys(), ...is!.keys()])].flatMap((key): Difference[] => {
          const [old, fresh] = [was!.get(key), is!.get(key)];
          if (old === undefined) return [{ kind: 'added', row: fresh, before: 0, after: 1 }];
          if (fresh === undefined) return [{ kind: 'removed', row: old, before: 1, after: 0 }];
          const changes = columns.flatMap(({ name }, index) =>
            JSON.stringify(old[index]) === JSON.stringify(fresh[index])
              ? []
              : [{ column: name, before: old[index], after: fresh[index] }],
          );
          return changes.length === 0 ? [] : [{ kind: 'changed', key: JSON.parse(key) as unknown, changes }];
        });
        expect(sortByText(whole.rows)).toEqual(sortByText(expected));
        const of = (kind: string) => expected.filter((one) => one.kind === kind).length;
        expect(whole.counts).toEqual({
          added: of('added'),
          removed: of('removed'),
          changed: of('changed'),
          unchanged: before.length - of('removed') - of('changed'),
        });
        // Pages add up to the whole, in the same order.
        const pages = [];
        for (let offset = 0; offset < expected.length; offset += 5) {
          const page = await differ.diff(a, b, { keys, offset, limit: 5 });
          expect(page.left).toBe(Math.max(0, expected.length - offset - 5));
          pages.push(...page.rows);
        }
        expect(pages).toEqual(whole.rows);
      }),
      { numRuns: 12 },
    );
  });
});

async function writeTable(rows: readonly Row[]) {
  return { paths: [await writeParquetFile(columns, rows)], columns };
}

function sortByText(values: readonly unknown[]): unknown[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
