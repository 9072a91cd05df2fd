import type { SampleColumn, SampleRow } from './data-file.ts';

/** Every type of a dataset's column, with edge values. */
export const sampleColumns: readonly SampleColumn[] = [
  { name: 'id', type: 'long', nullable: false, sqlType: 'BIGINT' },
  { name: 'big', type: 'long', nullable: true, sqlType: 'BIGINT' },
  { name: 'price', type: 'decimal(12,2)', nullable: true, sqlType: 'DECIMAL(12,2)' },
  { name: 'exact', type: 'decimal(38,10)', nullable: true, sqlType: 'DECIMAL(38,10)' },
  { name: 'ratio', type: 'double', nullable: true, sqlType: 'DOUBLE' },
  { name: 'Is Open?', type: 'boolean', nullable: true, sqlType: 'BOOLEAN' },
  { name: 'day', type: 'date', nullable: true, sqlType: 'DATE' },
  { name: 'at', type: 'timestamp', nullable: true, sqlType: 'TIMESTAMPTZ' },
  { name: 'text', type: 'string', nullable: true, sqlType: 'VARCHAR' },
  { name: 'raw', type: 'binary', nullable: true, sqlType: 'BLOB' },
];

/** The column that a later version adds. */
export const grownColumn: SampleColumn = {
  name: 'grown',
  type: 'string',
  nullable: true,
  sqlType: 'VARCHAR',
};

const texts = [
  '',
  'plain',
  `it's "quoted", and \\ more`,
  'two\nlines\r\nand\ttabs',
  '🚀 naïve 𝄞 ﷽ \u{10ffff}',
  'nul\u0000inside',
  `${'long '.repeat(20)}🎈`,
  '\u{10ffff}'.repeat(40),
  'null',
];
const bigs = ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0', '-1'];
const exacts = [
  '9999999999999999999999999999.9999999999',
  '-9999999999999999999999999999.9999999999',
  '0.0000000001',
];
const moments = ['2026-01-02 03:04:05.123456', '1969-12-31 23:59:59.999999', '2199-12-31 23:59:59.000001'];

/** Rows that differ from those of every other seed, each value as the text in which readers are compared. */
export function sampleRows(seed: number, count: number): readonly SampleRow[] {
  return Array.from({ length: count }, (_, index) => {
    const n = seed * 1_000 + index;
    const isNull = (every: number) => n % every === every - 1;
    return {
      id: String(n),
      big: isNull(4) ? null : (bigs[n % bigs.length] ?? ''),
      price: isNull(5) ? null : `${n % 2 === 0 ? '' : '-'}${n + 1}.${String(n % 100).padStart(2, '0')}`,
      exact: isNull(3) ? null : (exacts[n % exacts.length] ?? ''),
      ratio: isNull(6) ? null : String((n + 0.5) / 4),
      'Is Open?': isNull(7) ? null : String(n % 2 === 0),
      day: isNull(4)
        ? null
        : `20${String(n % 90).padStart(2, '0')}-02-${String(1 + (n % 28)).padStart(2, '0')}`,
      at: isNull(5) ? null : (moments[n % moments.length] ?? ''),
      text: isNull(8) ? null : (texts[n % texts.length] ?? ''),
      raw: isNull(3)
        ? null
        : Buffer.from([0, n % 256, 255, n % 7])
            .toString('hex')
            .toUpperCase(),
      grown: isNull(2) ? null : `grown ${n}`,
    };
  });
}
