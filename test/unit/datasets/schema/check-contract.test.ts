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
  test('holds for the same columns in any order, and for texts without types', () => {
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

  test('requires every column that cannot be null', () => {
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
  ])('is broken by %s, with the place and a remedy', (_, instead, kind, column) => {
    const place = contract.findIndex(({ name }) => name.toLowerCase() === column.toLowerCase());
    const { problems } = check((same) =>
      place < 0 ? [...same, ...instead] : [...same.slice(0, place), ...instead, ...same.slice(place + 1)],
    );
    expect(problems).toMatchObject([{ kind, column }]);
    expect(problems[0]!.message).toContain(JSON.stringify(column));
    expect(problems[0]!.message).toMatch(/write|rename|call|keep/);
  });

  test('does not take a numbered name for a rename', () => {
    const { added, problems } = check((same) => [...same.slice(0, 3), { name: 'x2', type: 'double' }]);
    expect(problems).toEqual([]);
    expect(names(added)).toEqual(['x2']);
  });

  test('never loses a column, and adds each only once', () => {
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

describe('a broken contract', () => {
  const current: readonly Column[] = [
    { name: 'id', type: 'int64', nullable: false },
    { name: 'amount', type: 'decimal(18,2)', nullable: true },
    { name: 'customer', type: 'string', nullable: true },
    { name: 'x1', type: 'double', nullable: false },
  ];
  const keep = (...without: string[]): IncomingColumn[] =>
    current.filter(({ name }) => !without.includes(name)).map(({ name, type }) => ({ name, type }));

  test.each<[string, readonly IncomingColumn[], string]>([
    [
      'a name similar to a missing one',
      [...keep('amount'), { name: 'Amounts', type: 'decimal(18,2)' }],
      'The column "amount" is missing, and "Amounts" looks like a rename of it: rename it to "amount", or add "amount" as an empty column.',
    ],
    [
      'a name similar to a missing one that cannot be null, reported once',
      [{ name: 'ident', type: 'int64' }, ...keep('id')],
      'The column "id" is missing, and "ident" looks like a rename of it: rename it to "id", or add "id" as an empty column.',
    ],
    [
      'a similar name without a type',
      [...keep('customer'), { name: 'custommer' }],
      'The column "customer" is missing, and "custommer" looks like a rename of it: rename it to "customer", or add "customer" as an empty column.',
    ],
    [
      'a narrower type',
      [...keep('amount'), { name: 'amount', type: 'double' }],
      'The column "amount" has the type decimal(18,2), and double does not convert to it without loss: write decimal(18,2), or use a column of another name.',
    ],
    [
      'another case',
      [...keep('customer'), { name: 'Customer' }],
      'The column "Customer" is called "customer" in the dataset: use that spelling.',
    ],
    [
      'a name twice',
      [...keep(), { name: 'ID', type: 'int64' }],
      'The columns "id" and "ID" have the same name ignoring case: rename one of them.',
    ],
    [
      'a missing column that cannot be null',
      keep('x1'),
      'The column "x1" is missing and cannot be null: add it.',
    ],
  ])('%s has a full message', (_, incoming, message) => {
    expect(checkContract(current, incoming).problems.map((problem) => problem.message)).toEqual([message]);
  });

  test.each<[string, readonly IncomingColumn[]]>([
    [
      'of another type in the same place',
      [...keep('amount', 'customer', 'x1'), { name: 'total', type: 'date' }, { name: 'x1' }],
    ],
    ['of the same type in another place', [...keep('customer'), { name: 'remark', type: 'string' }]],
    [
      'without a type in the same place',
      [...keep('amount', 'customer', 'x1'), { name: 'total' }, { name: 'x1' }],
    ],
    [
      'of a similar name and a type that the old one cannot hold',
      [...keep('amount'), { name: 'amounts', type: 'string' }],
    ],
    ['of a similar name beside the old one', [...keep(), { name: 'amounts', type: 'decimal(18,2)' }]],
    ['of the same type beside the old one', [...keep(), { name: 'customers', type: 'string' }]],
  ])('a column is new that is %s', (_, incoming) => {
    const { added, problems } = checkContract(current, incoming);
    expect(problems).toEqual([]);
    expect(added).toHaveLength(1);
  });

  test('a decimal type is kept when its scale fits; rows with too many digits are bad', () => {
    const scale = fc.integer({ min: 0, max: 18 });
    fc.assert(
      fc.property(scale, scale, (has, gets) => {
        const there: readonly Column[] = [{ name: 'd', type: `decimal(18,${has})`, nullable: true }];
        const { problems } = checkContract(there, [{ name: 'd', type: `decimal(38,${gets})` }]);
        expect(problems.map(({ kind }) => kind)).toEqual(gets <= has ? [] : ['NARROWED']);
      }),
    );
  });
});

test('a type converts without loss when the other accepts all of its texts', () => {
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
      // A double would round a decimal, although its text is valid there.
      const isRounded = from.startsWith('decimal') && to === 'double';
      expect([from, to, isLossless(from, to)]).toEqual([from, to, allFit && !isRounded]);
    }
  for (const from of types) expect(isLossless(from, 'string')).toBe(true);
  expect([isLossless('binary', 'string'), isLossless('binary', 'binary')]).toEqual([false, true]);
});
