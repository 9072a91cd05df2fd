import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSettings } from '../../../shared/domains/datasets/catalog/settings.ts';
import type { Column } from '../../../shared/domains/datasets/schema/column.ts';
import { type DatasetBench, ingestWork, openDatasetBench } from '../../support/datasets/datasets.ts';
import { createTestEngine } from '../../support/datasets/readable-version.ts';
import { createFolder } from '../../support/stores.ts';

/** Apache Arrow's reading of a file that it wrote; see `test/golden/parquet/generate.py`. */
interface GoldenFile {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly note?: string }[];
  readonly rowGroups: number;
  readonly rows: readonly (readonly (string | null)[])[];
}

const golden = join(import.meta.dirname, '../../golden/parquet');
const files = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as readonly GoldenFile[];

describe('Parquet files by Apache Arrow', () => {
  let bench: DatasetBench;
  beforeAll(async () => {
    bench = await openDatasetBench();
  });
  afterAll(() => bench.close());

  test.each(files)('$name', async ({ name, columns, rows }) => {
    const found = await ingest(bench, name, name);
    expect(found.columns.map(({ name, type }) => ({ name, type }))).toEqual(
      columns.map(({ name, type }) => ({ name, type })),
    );
    for (const [index, { note }] of columns.entries())
      if (note === undefined) expect(found.columns[index]?.note).toBeUndefined();
      else expect(found.columns[index]?.note).toContain(note);
    expect({ rowsIn: found.rowsIn, committed: found.committed, quarantined: found.quarantined }).toEqual({
      rowsIn: rows.length,
      committed: rows.length,
      quarantined: 0,
    });
    expect(found.rows.map((row) => row.map(toComparable(found.columns)))).toEqual(
      rows.map((row) => row.map(toComparable(found.columns))),
    );
  });

  test('matches columns in another order by name', async () => {
    const { columns, rows } = files.find(({ name }) => name === 'names')!;
    await ingest(bench, 'names', 'reordered');
    const both = await ingest(bench, 'names-reversed', 'reordered');
    expect(both.columns.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
    // Each column has a different number.
    expect(both.rows).toEqual([...rows, ...rows]);
  });

  test('quarantines rows that break a rule with their values, and keeps the others in order', async () => {
    const { rows } = files.find(({ name }) => name === 'many-groups')!;
    await bench.datasets.settings.put(
      'ruled',
      {
        ...defaultSettings,
        maxBadFraction: 0.5,
        constraints: [
          { kind: 'range', column: 'n', min: '3', max: '390' },
          { kind: 'notNull', column: 'text' },
        ],
      },
      'ann',
    );
    const isGood = ([n, text]: readonly (string | null)[]) =>
      Number(n) >= 3 && Number(n) <= 390 && text !== null;
    const found = await ingest(bench, 'many-groups', 'ruled');
    expect(found.rows).toEqual(rows.filter(isGood));
    const bad = rows.flatMap((row, index) => (isGood(row) ? [] : [{ row: index + 1, raw: toRaw(row) }]));
    expect(found.rowsIn).toBe(found.committed + found.quarantined);
    expect(found).toMatchObject({ rowsIn: rows.length, quarantined: bad.length });
    expect(found.bad.map(({ row, raw }) => ({ row, raw }))).toEqual(bad);
  });

  test.each(['csv', 'jsonl'] as const)('downloads decimals as %s with all digits', async (format) => {
    const { columns, rows } = files.find(({ name }) => name === 'decimals')!;
    const dataset = `shares-${format}`;
    await ingest(bench, 'decimals', dataset);
    const version = await bench.datasets.versions.resolve(dataset, 'latest');
    const path = join(createFolder(), 'data.parquet');
    const { body } = await bench.blobs.open({ container: 'datasets', name: version.files[0]!.path });
    await writeFile(path, body);
    const encoded = createTestEngine().encode(format, version.columns, readAll([path]));
    const lines = Buffer.concat(await Array.fromAsync(encoded))
      .toString()
      .trim()
      .split(/\r?\n/);
    if (format === 'csv') expect(lines.slice(1)).toEqual(rows.map((row) => row.join(',')));
    else
      expect(lines).toEqual(
        rows.map((row) => `{${row.map((value, index) => `"${columns[index]?.name}":${value}`).join(',')}}`),
      );
  });

  test('a quarantined row shows its values: NaN, all digits of long numbers', async () => {
    await bench.datasets.settings.put(
      'unruly',
      {
        ...defaultSettings,
        maxBadFraction: 1,
        constraints: [
          { kind: 'range', column: 'f64', max: '1' },
          { kind: 'range', column: 'f32', min: '0.0' },
        ],
      },
      'ann',
    );
    const found = await ingest(bench, 'floats', 'unruly');
    expect(found.rowsIn).toBe(found.committed + found.quarantined);
    expect(found.bad.map(({ row, raw }) => [row, JSON.parse(raw) as unknown])).toMatchObject([
      [1, { f16: 'NaN', f32: 'NaN', f64: 'NaN' }],
      [2, { f16: 'Infinity', f64: 'Infinity' }],
      [3, { f16: '-Infinity', f32: '-Infinity' }],
      [8, { f16: 65504, f64: 1.7976931348623157e308 }],
    ]);

    await bench.datasets.settings.put(
      'long',
      {
        ...defaultSettings,
        maxBadFraction: 1,
        constraints: [{ kind: 'range', column: 'i64', max: '0' }],
      },
      'ann',
    );
    const [long] = (await ingest(bench, 'integers', 'long')).bad;
    expect(long?.raw).toContain('"i64":9223372036854775807,');
    expect(long?.reason).toContain('"9223372036854775807"');
  });
});

async function ingest({ datasets, drop, read }: DatasetBench, file: string, dataset: string) {
  const work = { ...ingestWork, runId: `run-${file}-${dataset}` };
  const bytes = readFileSync(join(golden, `${file}.parquet`));
  const staged = await datasets.ingestion.stage(await drop(`${dataset}/${file}.parquet`, bytes), work);
  const version = String((await datasets.ingestion.commit(staged, work)).version);
  const { columns, files: stored } = await datasets.versions.resolve(dataset, version);
  const { items } = await datasets.quarantine.list(dataset, { limit: 10 });
  const id = items[0]?.quarantineId;
  const page =
    id === undefined ? undefined : await datasets.quarantine.listRows(dataset, id, { limit: 1_000 });
  return {
    columns,
    rowsIn: staged.rowsIn,
    quarantined: staged.rowsQuarantined,
    committed: stored.reduce((total, { rows }) => total + rows, 0),
    rows: await read(dataset, version),
    bad: (page?.items ?? []) as readonly {
      readonly row: number;
      readonly raw: string;
      readonly reason: string;
    }[],
  };
}

async function* readAll(paths: readonly string[]): AsyncGenerator<string> {
  yield* paths;
}

function toRaw([n, text]: readonly (string | null)[]): string {
  return JSON.stringify({ n: Number(n), text });
}

/** One text per value: doubles as numbers, JSON without blanks and trailing zeros of numbers. */
function toComparable(columns: readonly Column[]) {
  return (value: string | null, index: number): unknown => {
    const column = columns[index];
    if (value === null) return null;
    if (column?.type === 'double') return readDouble(value);
    // DuckDB omits a lone zero before the point.
    if (column?.type.startsWith('decimal')) return value.replace(/^(-?)\./, '$10.');
    return column?.note?.includes('JSON') === true ? readJson(value) : value;
  };
}

function readDouble(text: string): number {
  const [, sign, word] = /^([+-]?)(nan|inf)/i.exec(text) ?? [];
  if (word === undefined) return Number(text);
  return word.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
}

/** Numbers as texts with all their digits. */
function readJson(text: string): unknown {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
  return JSON.parse(
    text.replaceAll(token, (found) => (found.startsWith('"') ? found : `"#${simplify(found)}"`)),
  );
}

function simplify(number: string): string {
  if (/e/i.test(number)) return String(Number(number));
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number;
}
