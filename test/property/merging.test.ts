import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../shared/domains/datasets/schema/column.ts';
import { createTableConverters } from '../../shared/adapters/duckdb/conversion/table-converter.ts';
import { createTableMerger } from '../../shared/adapters/duckdb/merging/table-merger.ts';
import { quoteName, quoteText } from '../../shared/adapters/duckdb/quote.ts';
import { typeOf } from '../../shared/adapters/duckdb/column-sql.ts';
import { createFolder } from '../support/stores.ts';

type Row = readonly (string | null)[];
interface Place {
  readonly file: number;
  readonly row: number;
}

const names = ["it's", 'key "two"', 'value', 'Größe\n🛩'] as const;
const columns: readonly Column[] = [
  { name: names[0], type: 'string', nullable: true },
  { name: names[1], type: 'int64', nullable: true },
  { name: names[2], type: 'double', nullable: true },
  { name: names[3], type: 'string', nullable: true },
];
const keysets: readonly (readonly string[])[] = [[names[0]], [names[1]], [names[0], names[1]]];
const runs = { numRuns: 60 };
const { signal } = new AbortController();

/** Few, so that keys collide; similar, so that a wrong comparison confuses them. */
const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('a', 'A', 'a ', '', "'", '"', "a'; --", '\\', 'NULL', 'é', 'e\u0301', '🛩', '\n'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).map((text) => text.replaceAll('\0', '0')),
);
const numbers: fc.Arbitrary<string> = fc.constantFrom(
  '0',
  '1',
  '-1',
  '10',
  '9007199254740992',
  '9007199254740993',
);
const maybe = (cells: fc.Arbitrary<string>) => fc.option(cells, { freq: 3, nil: null });
const value = maybe(fc.constantFrom('0.5', '-0.0', '0.0', 'nan', 'inf', '1.0'));
const row: fc.Arbitrary<Row> = fc.tuple(texts, numbers, value, maybe(texts));
/** Keys may be null. */
const looseRow: fc.Arbitrary<Row> = fc.tuple(maybe(texts), maybe(numbers), value, maybe(texts));
const keys = fc.constantFrom(...keysets);

let connection: Awaited<ReturnType<DuckDBInstance['connect']>>;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});
afterAll(() => connection.closeSync());

describe('merging by key', () => {
  const merger = createTableMerger({ threads: 1, memoryLimitMb: 256 });

  const tables = keys.chain((keys) => {
    const unique = fc.uniqueArray(row, { maxLength: 14, selector: (row) => keyOf(row, keys)! });
    const existing = split(fc.array(looseRow, { maxLength: 40 })).map((files) => withoutTwins(files, keys));
    return fc.record({ keys: fc.constant(keys), existing, incoming: split(unique) });
  });

  test('equals a map by key, and keeps unchanged files', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ keys, existing, incoming }) => {
        const directory = createFolder();
        const paths = await writeFiles(directory, 'old', existing);
        const bytes = paths.map((path) => readFileSync(path));
        const merged = await merger.merge({
          existing: paths,
          incoming: await writeFiles(directory, 'new', incoming),
          keys,
          columns,
          directory,
          signal,
        });
        expect(paths.map((path) => readFileSync(path))).toEqual(bytes);

        const arriving = new Map(incoming.flat().map((row) => [keyOf(row, keys), row]));
        const expected = existing.map((rows) => rows.map((row) => arriving.get(keyOf(row, keys)) ?? row));
        const changed = expected.map((rows, file) =>
          rows.filter((row, at) => !isSame(row, existing[file]![at]!)),
        );
        const known = new Set(existing.flat().map((row) => keyOf(row, keys)));
        const fresh = incoming.flat().filter((row) => !known.has(keyOf(row, keys)));
        expect(merged.updated).toBe(changed.flat().length);
        expect([...merged.rewritten.keys()]).toEqual(
          changed.flatMap((rows, file) => (rows.length > 0 ? [file] : [])),
        );
        for (const [file, { path, rows }] of merged.rewritten) {
          expect(rows).toBe(expected[file]!.length);
          expect(normalize(await readFile(path))).toEqual(normalize(expected[file]!));
        }
        expect(merged.inserted?.rows).toBe(fresh.length === 0 ? undefined : fresh.length);
        if (merged.inserted)
          expect(normalize(await readFile(merged.inserted.path))).toEqual(normalize(fresh));
      }),
      runs,
    );
  });

  test('adds a missing column only to files that get a row', async () => {
    const directory = createFolder();
    const [path] = await writeFiles(directory, 'old', [
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ]);
    const merge = async (incoming: readonly Row[]) =>
      merger.merge({
        existing: [path!],
        incoming: await writeFiles(directory, 'new', [incoming]),
        keys: [names[0]],
        columns,
        directory,
        signal,
      });
    expect(await merge([['b', '2', null, null]])).toEqual({ rewritten: new Map(), updated: 0 });
    const { rewritten } = await merge([['b', '2', '0.5', 'x']]);
    expect(await readFile(rewritten.get(0)!.path)).toEqual([
      ['a', '1', null, null],
      ['b', '2', '0.5', 'x'],
    ]);
  });
});

describe('duplicate rows', () => {
  const converters = createTableConverters({ threads: 1, memoryLimitMb: 256 });

  test('are those whose key a map has already; without them each key is unique', async () => {
    const directory = createFolder();
    await using converter = await converters.open({ directory });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(keys, split(fc.array(looseRow, { maxLength: 30 })), async (keys, files) => {
        round += 1;
        const paths = await writeFiles(directory, `files-${round}`, files);
        const found = (await Array.fromAsync(converter.findDuplicates(paths, keys, signal))).flat();
        expect(found).toEqual(listDuplicates(files, keys));
        for (const [file, path] of paths.entries()) {
          const doomed = found.filter((place) => place.file === file).map(({ row }) => row);
          if (doomed.length === 0) continue;
          const left = files[file]!.filter((_, row) => !doomed.includes(row));
          const { file: written, removed } = await converter.removeRows(path, doomed, signal);
          expect(written?.rows).toBe(left.length === 0 ? undefined : left.length);
          if (written) expect(normalize(await readFile(written.path))).toEqual(normalize(left));
          expect(removed.map((raw) => readRaw(raw))).toEqual(
            doomed.map((row) => files[file]![row]!.map(nameDouble)),
          );
        }
      }),
      runs,
    );
  });

  test('are reported in batches, however many there are', async () => {
    const directory = createFolder();
    await using converter = await converters.open({ directory });
    const rows = Array.from({ length: 5_000 }, (_, n): Row => ['a', String(n % 2), null, null]);
    const [path] = await writeFiles(directory, 'many', [rows]);
    const batches = await Array.fromAsync(converter.findDuplicates([path!], [names[1]], signal));
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(2_048);
    expect(batches.flat()).toEqual(listDuplicates([rows], [names[1]]));
  });
});

/** Undefined when a part is null: such a key equals no other. */
function keyOf(row: Row, keys: readonly string[]): string | undefined {
  const values = keys.map((key) => row[names.indexOf(key as (typeof names)[number])] ?? null);
  return values.includes(null) ? undefined : JSON.stringify(values);
}

function listDuplicates(files: readonly (readonly Row[])[], keys: readonly string[]): readonly Place[] {
  const seen = new Set<string>();
  return files.flatMap((rows, file) =>
    rows.flatMap((row, at) => {
      const key = keyOf(row, keys);
      if (key === undefined) return [];
      if (seen.has(key)) return [{ file, row: at }];
      seen.add(key);
      return [];
    }),
  );
}

/** Keeps the first of duplicate keys, and drops empty files. */
function withoutTwins(files: readonly (readonly Row[])[], keys: readonly string[]) {
  const twins = listDuplicates(files, keys);
  return files
    .map((rows, file) => rows.filter((_, row) => !twins.some((at) => at.file === file && at.row === row)))
    .filter((rows) => rows.length > 0);
}

/** The same rows in one file or several. */
function split(rows: fc.Arbitrary<readonly Row[]>): fc.Arbitrary<readonly (readonly Row[])[]> {
  return fc.tuple(rows, fc.integer({ min: 1, max: 12 })).map(([all, size]) => {
    const files: Row[][] = [];
    for (let from = 0; from < all.length; from += size) files.push(all.slice(from, from + size));
    return files;
  });
}

async function writeFiles(directory: string, prefix: string, files: readonly (readonly Row[])[]) {
  const folder = join(directory, prefix);
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const [index, rows] of files.entries()) {
    const path = join(folder, `${index}.parquet`);
    const values = rows.map(
      (row) => `(${row.map((cell) => (cell === null ? 'NULL' : quoteText(cell))).join(', ')})`,
    );
    const written = columns.slice(0, rows[0]?.length);
    const selected = written.map(({ name, type }, at) => `c${at}::${typeOf(type)} AS ${quoteName(name)}`);
    const from = `(VALUES ${values.join(', ')}) t(${written.map((_, at) => `c${at}`).join(', ')})`;
    await connection.run(
      `COPY (SELECT ${selected.join(', ')} FROM ${from}) TO '${path}' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 0)`,
    );
    paths.push(path);
  }
  return paths;
}

async function readFile(path: string): Promise<readonly Row[]> {
  const values = names.map((name) => `${quoteName(name)}::VARCHAR`).join(', ');
  const result = await connection.runAndReadAll(`SELECT ${values} FROM read_parquet('${path}')`);
  return result.getRows() as Row[];
}

/** Zeros are equal, so a merge may keep either. */
function normalize(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => row.map((cell, at) => (at === 2 && cell === '-0.0' ? '0.0' : cell)));
}

function isSame(a: Row, b: Row): boolean {
  return JSON.stringify(normalize([a])) === JSON.stringify(normalize([b]));
}

function nameDouble(cell: string | null, at: number): unknown {
  if (cell === null || (at !== 1 && at !== 2)) return cell;
  if (at === 1) return BigInt(cell);
  if (cell === 'nan') return 'NaN';
  return cell === 'inf' ? 'Infinity' : Number(cell);
}

/** A row as JSON, with all digits of its whole number. */
function readRaw(raw: string): readonly unknown[] {
  const cells = JSON.parse(raw) as Record<string, unknown>;
  const whole = /"key \\"two\\"":(-?\d+),"value":/.exec(raw)?.[1];
  return names.map((name, at) => (at === 1 && whole !== undefined ? BigInt(whole) : cells[name]));
}
