import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkContract,
  type IncomingColumn,
  isLossless,
} from '../../../../shared/domains/datasets/schema/check-contract.ts';
import type { Column, ColumnType } from '../../../../shared/domains/datasets/schema/column.ts';
import { fits } from '../../../../shared/domains/datasets/schema/strict-types.ts';

const contract: readonly Column[] = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'amount', type: 'decimal(18,2)', nullable: true },
  { name: 'note', type: 'string', nullable: true },
  { name: 'x1', type: 'double', nullable: true },
];
const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name);

function check(change: (columns: IncomingColumn[]) => readonly IncomingColumn[]) {
  const same = contract.map(({ name, type }): IncomingColumn => ({ name, type }));
  return checkContract(contract, change(same));
}

describe('the contract', () => {
  test('is kept by the same columns in any order, and by texts without types', () => {
    for (const { columns, added, problems } of [
      check((same) => same),
      check((same) => same.toReversed()),
      check((same) => same.map(({ name }) => ({ name }))),
    ])
      expect({ columns, added, problems }).toEqual({ columns: contract, added: [], problems: [] });
  });

  test('grows at its end, by columns that can be null', () => {
    const { columns, added, problems } = check((same) => [
      { name: 'region', type: 'date', note: 'why' },
      ...same,
      { name: 'untyped' },
    ]);
    expect(problems).toEqual([]);
    expect(added).toEqual([
      { name: 'region', type: 'date', nullable: true, note: 'why' },
      { name: 'untyped', type: 'string', nullable: true },
    ]);
    expect(columns).toEqual([...contract, ...added]);
  });

  test('lets columns be left out that can be null, and no others', () => {
    expect(check((same) => same.slice(0, 1)).problems).toEqual([]);
    expect(check((same) => same.slice(1)).problems).toMatchObject([{ kind: 'MISSING', column: 'id' }]);
  });

  test.each<[string, readonly IncomingColumn[], string, string]>([
    ['a narrower type', [{ name: 'id', type: 'double' }], 'NARROWED', 'id'],
    ['more digits after the point', [{ name: 'amount', type: 'decimal(18,3)' }], 'NARROWED', 'amount'],
    ['a text where numbers were', [{ name: 'amount', type: 'string' }], 'NARROWED', 'amount'],
    ['bytes where text was', [{ name: 'note', type: 'binary' }], 'NARROWED', 'note'],
    ['another case', [{ name: 'Note' }], 'OTHER_CASE', 'note'],
    ['another spelling', [{ name: 'amounts', type: 'decimal(18,2)' }], 'RENAMED', 'amount'],
    ['another name in the same place', [{ name: 'remark', type: 'string' }], 'RENAMED', 'note'],
    ['a name twice, case aside', [{ name: 'new' }, { name: 'NEW' }], 'TWICE', 'NEW'],
  ])('is broken by %s, and says where and what to do', (_, instead, kind, column) => {
    const place = contract.findIndex(({ name }) => name.toLowerCase() === column.toLowerCase());
    const { problems } = check((same) =>
      place < 0 ? [...same, ...instead] : [...same.slice(0, place), ...instead, ...same.slice(place + 1)],
    );
    expect(problems).toMatchObject([{ kind, column }]);
    expect(problems[0]!.message).toContain(JSON.stringify(column));
    expect(problems[0]!.message).toMatch(/write|rename|call|keep/);
  });

  test('takes numbered names for what they are: others', () => {
    const { added, problems } = check((same) => [...same.slice(0, 3), { name: 'x2', type: 'double' }]);
    expect(problems).toEqual([]);
    expect(names(added)).toEqual(['x2']);
  });

  test('is never shortened, and what was added once is no news', () => {
    const type = fc.constantFrom<ColumnType>('int64', 'double', 'string', 'date', 'decimal(18,2)');
    const column = fc.record({ name: fc.string({ minLength: 1, maxLength: 3 }), type });
    fc.assert(
      fc.property(fc.array(column), (incoming) => {
        const { columns, added, problems } = checkContract(contract, incoming);
        expect(columns.slice(0, contract.length)).toEqual(contract);
        expect(columns.slice(contract.length)).toEqual(added);
        if (problems.length > 0) return;
        expect(checkContract(columns, incoming)).toEqual({ columns, added: [], problems: [] });
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a type goes into another without loss when all that fits it fits the other', () => {
  const types: readonly ColumnType[] = [
    'int64',
    'double',
    'boolean',
    'date',
    'decimal(18,2)',
    'decimal(38,4)',
  ];
  const texts: Readonly<Record<string, readonly string[]>> = {
    int64: ['0', '-12', '999999999999999'],
    double: ['0.1', '1e-7', '1e300', 'NaN'],
    boolean: ['true', 'FALSE'],
    date: ['2024-02-29', '0001-01-01'],
    'decimal(18,2)': ['0.25', '-7', '12345678.90'],
    'decimal(38,4)': ['0.1234', '12345678901234567890.5'],
  };
  for (const from of types)
    for (const to of [...types, 'timestamp'] as const) {
      const allFit = texts[from]!.every((text) => fits(to, text));
      // A decimal in a column of doubles would be rounded, although its text could stand there.
      const isRounded = from.startsWith('decimal') && to === 'double';
      expect([from, to, isLossless(from, to)]).toEqual([from, to, allFit && !isRounded]);
    }
  for (const from of types) expect(isLossless(from, 'string')).toBe(true);
  expect([isLossless('binary', 'string'), isLossless('binary', 'binary')]).toEqual([false, true]);
});
