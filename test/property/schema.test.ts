import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkContract, type IncomingColumn } from '../../shared/domains/datasets/schema/check-contract.ts';
import type { Column, ColumnType } from '../../shared/domains/datasets/schema/column.ts';
import { inferSchema, mergeSurveys } from '../../shared/domains/datasets/schema/infer-schema.ts';
import { fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import { ColumnCounter } from '../../shared/domains/datasets/schema/survey-values.ts';
import { planColumns, type PlannedColumn } from '../../shared/adapters/duckdb/conversion/column-plan.ts';
import {
  findFault,
  isGood,
  selectTyped,
  valueOf,
} from '../../shared/adapters/duckdb/conversion/row-checks.ts';
import { quoteText } from '../../shared/adapters/duckdb/quote.ts';
import { type DuckDbSession, openDuckDb } from '../../shared/adapters/duckdb/session.ts';

let session: DuckDbSession;
beforeAll(async () => {
  session = await openDuckDb({ threads: 1, memoryLimitMb: 256, allowedPaths: [] });
});
afterAll(() => session.dispose());

const plan = (types: readonly ColumnType[]) =>
  planColumns(
    types.map((_, index) => `c${index}`),
    { columns: types.map((type, index) => ({ name: `c${index}`, type, nullable: true })), constraints: [] },
  );

/** What SQL over a row answers for each row of texts. */
async function ask(
  planned: readonly PlannedColumn[],
  rows: readonly (readonly (string | null)[])[],
  sql: string,
) {
  const values = rows.map((row, index) => {
    const texts = row.map((text) => (text === null ? 'NULL::VARCHAR' : quoteText(text)));
    return `(${[index, ...texts].join(', ')})`;
  });
  const names = ['n', ...planned.map((_, index) => `c${index}`)].join(', ');
  const from = `(FROM (VALUES ${values.join(', ')}) t(${names}) ORDER BY n)`;
  const reader = await session.connection.runAndReadAll(`SELECT ${sql} FROM (${selectTyped(planned, from)})`);
  return reader.getColumns()[0] ?? [];
}

/** The values of texts as SQL writes them; `bad` of those that are none. */
async function convert(type: ColumnType, texts: readonly string[], write = (value: string) => value) {
  const planned = plan([type]);
  const value = write(valueOf(planned[0]!, 0));
  const sql = `CASE WHEN ${isGood(planned)} THEN (${value})::VARCHAR ELSE 'bad' END`;
  return await ask(
    planned,
    texts.map((text) => [text]),
    sql,
  );
}

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
const digits = (maxLength: number) =>
  fc.array(fc.constantFrom(0, 0, 1, 5, 9, 9), { maxLength }).map((all) => all.join(''));

describe('a decimal', () => {
  const written = fc
    .tuple(fc.constantFrom('', '', '-', '+'), digits(22), fc.option(digits(14)), digits(2))
    .map(([sign, whole, fraction, zeros]) => {
      const end = fraction === null ? '' : `.${fraction}${zeros.replaceAll(/[^0]/g, '0')}`;
      return `${sign}${whole}${end}`;
    });
  const kinds = fc.constantFrom<[number, number]>(
    [18, 2],
    [38, 10],
    [5, 5],
    [22, 4],
    [19, 0],
    [1, 1],
    [38, 38],
  );

  test('is what is left of a whole number when its point is moved, and DuckDB keeps each digit', async () => {
    await fc.assert(
      fc.asyncProperty(
        kinds,
        fc.array(written, { minLength: 50, maxLength: 150 }),
        async ([precision, scale], texts) => {
          const type: ColumnType = `decimal(${precision},${scale})`;
          const expected = texts.map((text) => readDecimal(text, precision, scale));
          expect(texts.map((text) => [text, fits(type, text)])).toEqual(
            texts.map((text, index) => [text, expected[index] !== undefined]),
          );
          const found = await convert(type, texts);
          const numbers = found.map((text) => (text === null || text === 'bad' ? text : moved(String(text))));
          expect(numbers).toEqual(
            texts.map((text, index) => (text === '' ? null : (expected[index] ?? 'bad'))),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  /** A number times 10^scale, of what DuckDB writes with all of its digits. */
  function moved(text: string): bigint {
    return BigInt(text.replace('.', ''));
  }

  /** The value times 10^scale, if the text is written as rules say and the type has room for it. */
  function readDecimal(text: string, precision: number, scale: number): bigint | undefined {
    const isNegative = text.startsWith('-');
    const [whole = '', fraction, ...more] = text.slice(isNegative ? 1 : 0).split('.');
    if (more.length > 0 || fraction === '' || text.includes('+')) return undefined;
    if (whole === '' && (fraction === undefined || scale === 0)) return undefined;
    if (whole.length > 1 && whole.startsWith('0')) return undefined;
    const places = fraction?.length ?? 0;
    const scaled = BigInt(whole + (fraction ?? '')) * 10n ** BigInt(scale);
    const unit = 10n ** BigInt(places);
    if (scaled % unit !== 0n || scaled / unit >= 10n ** BigInt(precision)) return undefined;
    return isNegative ? -(scaled / unit) : scaled / unit;
  }
});

describe('a timestamp', () => {
  const parts = fc.record({
    year: fc.oneof(
      fc.constantFrom(0, 1, 2, 1582, 1900, 2000, 2024, 9998, 9999),
      fc.integer({ min: 1, max: 9999 }),
    ),
    month: fc.oneof(fc.constantFrom(1, 2, 12), fc.integer({ min: 1, max: 12 })),
    day: fc.oneof(fc.constantFrom(1, 28, 29, 30, 31), fc.integer({ min: 1, max: 31 })),
    hour: fc.oneof(fc.constantFrom(0, 23), fc.integer({ min: 0, max: 24 })),
    minute: fc.constantFrom(0, 1, 29, 30, 31, 59, 60),
    second: fc.constantFrom(0, 30, 59, 60),
    micros: fc.oneof(fc.constantFrom(0, 1, 999_999), fc.nat(999_999)),
    places: fc.integer({ min: 0, max: 9 }),
    sign: fc.constantFrom('+', '-', 'Z', ''),
    zoneHour: fc.oneof(fc.constantFrom(0, 1, 14, 15), fc.nat(14)),
    zoneMinute: fc.option(fc.constantFrom(0, 1, 30, 59)),
    colon: fc.constantFrom(':', ''),
    between: fc.constantFrom('T', ' '),
  });
  type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;
  /** Most at the first or the last moments that there are, in some zone. */
  const edge = fc.tuple(parts, fc.boolean()).map(([of, isFirst]): Parts => ({
    ...of,
    ...(isFirst ? { year: 1, month: 1, day: 1 } : { year: 9999, month: 12, day: 31 }),
  }));

  function write(of: Parts): string {
    const day = `${pad(of.year, 4)}-${pad(of.month)}-${pad(of.day)}`;
    const fraction = of.places === 0 ? '' : `.${(pad(of.micros, 6) + '000').slice(0, of.places)}`;
    const zoneMinute = of.zoneMinute === null ? '' : of.colon + pad(of.zoneMinute);
    const zone = of.sign === '+' || of.sign === '-' ? of.sign + pad(of.zoneHour) + zoneMinute : of.sign;
    return `${day}${of.between}${pad(of.hour)}:${pad(of.minute)}:${pad(of.second)}${fraction}${zone}`;
  }

  /** Microseconds since 1970, by what Date says of the parts. */
  function read(of: Parts): bigint | undefined {
    const date = new Date(0);
    date.setUTCFullYear(of.year, of.month - 1, of.day);
    if (date.getUTCMonth() !== of.month - 1 || of.year === 0) return undefined;
    if (of.hour > 23 || of.minute > 59 || of.second > 59) return undefined;
    date.setUTCHours(of.hour, of.minute, of.second);
    const isZoned = of.sign === '+' || of.sign === '-';
    if (isZoned && of.zoneHour > 14) return undefined;
    const zone = isZoned ? (of.zoneHour * 60 + (of.zoneMinute ?? 0)) * (of.sign === '-' ? -1 : 1) : 0;
    const at = new Date(date.getTime() - zone * 60_000);
    if (at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999) return undefined;
    const unit = 10 ** Math.max(0, 6 - of.places);
    return BigInt(at.getTime()) * 1000n + BigInt(Math.floor(of.micros / unit) * unit);
  }

  test('is the moment that Date says, to the microsecond, from the first to the last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(parts, edge), { minLength: 50, maxLength: 150 }), async (all) => {
        const texts = all.map(write);
        const expected = all.map(read);
        expect(texts.map((text) => [text, fits('timestamp', text)])).toEqual(
          texts.map((text, index) => [text, expected[index] !== undefined]),
        );
        const found = await convert('timestamp', texts, (value) => `epoch_us(${value})`);
        expect(texts.map((text, index) => [text, found[index]])).toEqual(
          texts.map((text, index) => [text, String(expected[index] ?? 'bad')]),
        );
      }),
      { numRuns: 40 },
    );
  });
});

test('a double is the one that JavaScript reads, to the last bit', async () => {
  const scientific = fc
    .tuple(digits(20), digits(25), fc.integer({ min: -330, max: 310 }))
    .map(([whole, fraction, exponent]) => `1${whole}.${fraction}1e${exponent}`);
  const many = fc.tuple(fc.integer(), digits(25)).map((parts) => `${parts.join('.')}3`);
  const known = ['-inf', 'nan', '-0', '2.2250738585072011e-308', '4.9e-324', '2.4703282292062327e-324'];
  const text = fc.oneof(fc.double().map(String), scientific, many, fc.constantFrom(...known));
  const planned = plan(['double']);
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 50, maxLength: 150 }), async (all) => {
      const texts = all.filter((one) => fits('double', one));
      fc.pre(texts.length > 0);
      const rows = texts.map((one) => [one]);
      const found = await ask(
        planned,
        rows,
        `CASE WHEN ${isGood(planned)} THEN ${valueOf(planned[0]!, 0)} END`,
      );
      const numbers = texts.map((one) => Number(one.replace(/^(-?)inf.*$/i, '$1Infinity')));
      expect(texts.map((one, index) => [one, found[index]])).toEqual(
        texts.map((one, index) => [one, numbers[index]]),
      );
    }),
    { numRuns: 40 },
  );
});

test('of a wide row the first text that does not fit is told, and none where all do', async () => {
  const types = ['int64', 'double', 'decimal(5,2)', 'boolean', 'date', 'timestamp', 'string'] as const;
  const good = ['1', '0.5', '-1.25', 'TRUE', '2024-02-29', '2024-02-29 10:00', '"\n', 'NA', '', null];
  // More than two patterns' worth; a line feed is what stands between texts where they are looked at together.
  const width = 150;
  const planned = plan(Array.from({ length: width }, (_, index) => types[index % types.length]!));
  const all = planned.map(({ type }) =>
    good.filter((text) => text === null || nullWordsOf(type).includes(text) || fits(type, text)),
  );
  const bad = fc.constantFrom(
    'x',
    '1\n',
    '\n1',
    '1\n0.5',
    '\n',
    '1e400',
    '99999999999999999999',
    '2023-02-29',
    '0000-01-01',
  );
  const row = fc.record({
    seeds: fc.array(fc.nat(99), { minLength: width, maxLength: width }),
    faults: fc.array(fc.tuple(fc.nat(width - 1), bad), { maxLength: 2 }),
  });
  const typed = planned.filter(({ type }) => type !== 'string');
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 5, maxLength: 10 }), async (made) => {
      const rows = made.map(({ seeds, faults }) => {
        const texts = seeds.map((seed, index) => all[index]![seed % all[index]!.length]!);
        for (const [index, text] of faults) texts[index] = text;
        return texts;
      });
      const expected = rows.map((texts) => {
        const first = planned.find(({ type }, index) => {
          const text = texts[index] ?? null;
          return text !== null && !nullWordsOf(type).includes(text) && !fits(type, text);
        });
        return first === undefined ? 'good, -1' : `bad, ${typed.indexOf(first)}`;
      });
      const sql = `concat(CASE WHEN ${isGood(planned)} THEN 'good' ELSE 'bad' END, ', ', ${findFault(planned)})`;
      expect(await ask(planned, rows, sql)).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});

/** Texts of few kinds, so that columns of one type and of nearly one type are as likely as mixtures. */
const pools = [
  ['0', '7', '-12', '999999999999999'],
  ['9007199254740993', '-9223372036854775808', '9223372036854775807'],
  ['9223372036854775808', '9'.repeat(37), '-' + '9'.repeat(38)],
  ['0.5', '-.25', '12.000001', '99999999999999999.5'],
  ['0.0000001', '1e3', 'inf'],
  ['NaN', 'nan'],
  ['NA', '', 'null'],
  ['true', 'False'],
  ['2024-02-29', '0001-01-01'],
  ['2024-02-29T10:00:00Z', '2024-02-29 10:00'],
  ['x', '2023-02-29', '1e400', ' ', '9'.repeat(39)],
  ['007', ' 5', '01/02/2024', '13/02/2024', '01/13/2024'],
];
const rare = fc.integer({ min: 0, max: 3 });
const column = fc
  .record({
    pool: fc.subarray(pools, { minLength: 1, maxLength: 3 }),
    sizes: fc.tuple(fc.integer({ min: 0, max: 120 }), rare, rare),
    picks: fc.array(fc.nat(11), { minLength: 1, maxLength: 7 }),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
  })
  .map(({ pool, sizes, picks, order }) =>
    pool.flatMap((texts, at) =>
      Array.from(
        { length: sizes[order[at]!]! },
        (_, index) => texts[(picks[index % picks.length]! + index) % texts.length]!,
      ),
    ),
  );

function survey(texts: readonly (string | null)[], name = 'c', firstRow = 1) {
  const counter = new ColumnCounter(name);
  for (const [index, text] of texts.entries())
    if (text === null) counter.addNulls(1);
    else counter.add(text, firstRow + index);
  return counter.finish();
}

describe('what is inferred', () => {
  test('counts as misfits just what its type does not take', () => {
    fc.assert(
      fc.property(column, fc.constantFrom(0, 0.01, 0.05, 0.3), (texts, tolerance) => {
        const { type, note = '' } = inferSchema([survey(texts)], { tolerance })[0]!;
        if (type === 'string') return;
        const words = new Set(nullWordsOf(type));
        const values = texts.filter((text) => !words.has(text));
        const misfits = values.filter((text) => !fits(type, text));
        const [, told = '0', of] = /(\d+) of (\d+) values do not fit/.exec(note) ?? [];
        expect({ type, told: Number(told) }).toEqual({ type, told: misfits.length });
        const row = /such as .* in row (\d+)\.$/.exec(note)?.[1];
        if (row !== undefined) expect(misfits).toContain(texts[Number(row) - 1]);
        if (of !== undefined) expect(Number(of)).toBe(values.length);
      }),
      { numRuns: 3_000 },
    );
  });

  test('of numbers holds all of them exactly, or there is no such type', () => {
    const numeric = fc.array(fc.constantFrom('-0', ...pools.slice(0, 5).flat()), {
      minLength: 1,
      maxLength: 6,
    });
    const decimals = Array.from({ length: 7 }, (_, scale) =>
      [18, 38].map((p): ColumnType => `decimal(${p},${scale})`),
    );
    const narrowestFirst: readonly ColumnType[] = [
      'int64',
      ...decimals.flatMap(([small]) => small!),
      ...decimals.flatMap(([, large]) => large!),
      'double',
      'string',
    ];
    fc.assert(
      fc.property(fc.oneof(column, numeric), (texts) => {
        const values = texts.filter((text) => !nullWordsOf('double').includes(text) && !/^nan$/i.test(text));
        const isNumber = (text: string) =>
          !/^-?0\d/.test(text) &&
          text.trim() === text &&
          (fits('double', text) || fits('decimal(38,0)', text));
        fc.pre(values.length > 0 && values.every(isNumber));
        // Exponents and seven digits after the point are measured numbers, even where a decimal could hold them.
        const measured = values.some((text) => /e|inf|\.\d{7}|^-0$/i.test(text));
        const expected = narrowestFirst.find(
          (type) => (!measured || !type.startsWith('decimal')) && values.every((text) => fits(type, text)),
        );
        expect(inferSchema([survey(texts)], { tolerance: 0 })[0]!.type).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is the same of one survey and of any chunks, nulls and orders of day and month included', () => {
    const row = fc.tuple(
      fc.option(fc.constantFrom(...pools.flat())),
      fc.option(fc.constantFrom(...pools[11]!)),
    );
    const cuts = fc.array(fc.nat(60), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), cuts, (rows, at) => {
        const look = (from: number, to: number) =>
          [0, 1].map((index) =>
            survey(
              rows.slice(from, to).map((texts) => texts[index]!),
              ['a', '__proto__'][index],
              from + 1,
            ),
          );
        const ends = [...at.filter((end) => end < rows.length).toSorted((a, b) => a - b), rows.length];
        const chunks = ends.map((end, index) => look(ends[index - 1] ?? 0, end));
        const whole = look(0, rows.length);
        expect(mergeSurveys(chunks)).toEqual(whole);
        // Chunks of chunks: merged by twos, as what was merged before is merged again.
        expect(chunks.reduce((sum, chunk) => mergeSurveys([sum, chunk]).slice(), [] as typeof whole)).toEqual(
          whole,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the contract', () => {
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
      'a name that looks like one that is not there',
      [...keep('amount'), { name: 'Amounts', type: 'decimal(18,2)' }],
      'The column "amount" is missing, and "Amounts" looks like a rename of it: rename it to "amount", or add "amount" as an empty column.',
    ],
    [
      'the same of a column that may not be null, told once',
      [{ name: 'ident', type: 'int64' }, ...keep('id')],
      'The column "id" is missing, and "ident" looks like a rename of it: rename it to "id", or add "id" as an empty column.',
    ],
    [
      'text without a type, which could be anything',
      [...keep('customer'), { name: 'custommer' }],
      'The column "customer" is missing, and "custommer" looks like a rename of it: rename it to "customer", or add "customer" as an empty column.',
    ],
    [
      'a type that is narrower',
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
    ['what may not be null', keep('x1'), 'The column "x1" is missing and cannot be null: add it.'],
  ])('is broken by %s, which is told in full', (_, incoming, message) => {
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
      'of a similar name and a type that the old one could not hold',
      [...keep('amount'), { name: 'amounts', type: 'string' }],
    ],
    ['of a similar name beside the old one', [...keep(), { name: 'amounts', type: 'decimal(18,2)' }]],
    ['of the same type beside the old one', [...keep(), { name: 'customers', type: 'string' }]],
  ])('takes a column as new that is %s', (_, incoming) => {
    const { added, problems } = checkContract(current, incoming);
    expect(problems).toEqual([]);
    expect(added).toHaveLength(1);
  });

  test('keeps decimals whose digits after the point fit, whatever the digits before it: those rows are bad', () => {
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
