import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * A generated table of 20 columns, about 226 bytes a row as CSV. Row `i` depends only on the seed and `i`, on every
 * machine, so single rows can be omitted, changed or damaged.
 */
export interface GeneratedTable {
  readonly rows: number;
  readonly seed: number;
  /** Number of the first row, 0 by default: tables that continue each other share no id. */
  readonly firstRow?: number;
  /** One row in so many has a fault, the `faults` in turn. No row by default. */
  readonly dirtyEvery?: number;
  /** Numbers of omitted rows, from 0. */
  readonly without?: ReadonlySet<number>;
}

export const generatedHeader =
  'id,customer,quantity,reading,price,discount,amount,score,latitude,longitude,rate,country,city,status,sku,note,ordered_on,created_at,updated_at,is_paid';

/** One fault per row, which does not affect the next row. */
export const faults = ['wrong-type', 'too-short', 'too-long', 'quote-inside', 'text-after-quote'] as const;

const rowsPerWrite = 2_000;

/** Streams the table to a CSV file; memory does not grow with the rows. */
export async function writeGeneratedCsv(file: string, table: GeneratedTable): Promise<void> {
  await pipeline(Readable.from(produce(table)), createWriteStream(file));
}

/** The number of dirty rows. */
export function countDirty({ rows, firstRow = 0, dirtyEvery, without }: GeneratedTable): number {
  if (dirtyEvery === undefined) return 0;
  let dirty = 0;
  for (let row = firstRow; row < firstRow + rows; row += 1)
    if (isDirty(row, dirtyEvery) && without?.has(row) !== true) dirty += 1;
  return dirty;
}

function* produce({ rows, seed, firstRow = 0, dirtyEvery, without }: GeneratedTable): Generator<string> {
  let text = `${generatedHeader}\n`;
  for (let row = firstRow; row < firstRow + rows; row += 1) {
    if (without?.has(row) !== true) {
      const fields = writeRow(row, seed);
      text +=
        dirtyEvery !== undefined && isDirty(row, dirtyEvery)
          ? spoil(fields, row, dirtyEvery)
          : fields.join(',');
      text += '\n';
    }
    if (row % rowsPerWrite === rowsPerWrite - 1) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}

function isDirty(row: number, every: number): boolean {
  return row % every === every >> 1;
}

const countries = ['DE', 'FR', 'US', 'JP', 'BR', 'IN', 'ZA', 'NO'];
const cities = ['Berlin', 'Marseille', 'Chicago', '大阪', 'São Paulo', 'Bengaluru', 'Cape Town', 'Tromsø'];
const states = ['new', 'paid', 'packed', 'shipped', 'delivered', 'returned'];
const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor'.split(' ');
const firstDay = Date.UTC(2024, 0, 1);
const rowsPerDay = 2_000;

function writeRow(row: number, seed: number): string[] {
  let state = mix(row ^ Math.imul(seed, 0x9e3779b1));
  const next = (below: number) => (state = mix(state + 0x6d2b79f5)) % below;
  const fraction = () => (next(2 ** 30) * 2 ** 23 + next(2 ** 23)) / 2 ** 53;
  const pick = (from: readonly string[]) => from[next(from.length)] ?? '';
  const word = () => pick(words);
  const day = Math.floor(row / rowsPerDay);
  const country = next(countries.length);
  const note = next(20) === 0 ? `"${word()}, ""${word()}"" ${word()}"` : `${word()} ${word()} ${word()}`;
  return [
    String(1_000_000 + row),
    String(100_000_000 + next(900_000)),
    String(1 + next(99)),
    `${next(2) === 0 ? '-' : ''}${1 + next(9_000)}${String(next(1e9)).padStart(9, '0')}`,
    `${next(10_000)}.${twoDigits(next(100))}`,
    `0.${String(next(10_000)).padStart(4, '0')}`,
    `${next(1e8)}.${String(next(10_000)).padStart(4, '0')}`,
    (fraction() * 1e6).toExponential(10),
    (fraction() * 180 - 90).toExponential(9),
    (fraction() * 360 - 180).toExponential(9),
    next(20) === 0 ? '' : fraction().toExponential(6),
    countries[country] ?? '',
    next(25) === 0 ? '' : (cities[country] ?? ''),
    pick(states),
    `SKU-${String(next(1e9)).padStart(9, '0')}`,
    note,
    toDay(day),
    `${toDay(day)}T${toTime(next(86_400))}.${String(next(1e6)).padStart(6, '0')}Z`,
    next(10) === 0 ? '' : `${toDay(day + 1)}T${toTime(next(86_400))}Z`,
    next(3) === 0 ? 'false' : 'true',
  ];
}

/** The row's text with one fault, the faults in turn. */
function spoil(fields: readonly string[], row: number, every: number): string {
  const fault = faults[Math.floor(row / every) % faults.length] ?? faults[0];
  return faulty[fault](fields);
}

const faulty: Record<(typeof faults)[number], (fields: readonly string[]) => string> = {
  'wrong-type': (fields) => fields.with(2, 'twelve').join(','),
  'too-short': (fields) => fields.slice(0, 13).join(','),
  'too-long': (fields) => `${fields.join(',')},surplus`,
  'quote-inside': (fields) => fields.with(14, 'SKU-12" wide').join(','),
  'text-after-quote': (fields) => fields.with(14, '"SKU-1" x').join(','),
};

const days: string[] = [];

function toDay(day: number): string {
  return (days[day] ??= new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10));
}

function toTime(second: number): string {
  const minute = Math.floor(second / 60);
  return `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}:${twoDigits(second % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** The finalizer of MurmurHash3. @see https://github.com/aappleby/smhasher/wiki/MurmurHash3 */
function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
