import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mapConcurrent } from '../../../../core/async/map-concurrent.ts';
import { BadRows } from '../bad-rows/bad-rows.ts';
import { keepContract, toIncoming } from './keep-contract.ts';
import type { LandedFile } from './landed-file.ts';
import { contractOf, rowRulesOf } from './row-rules.ts';
import type { TableConverters } from './table-converter.ts';
import type { TypedFile, TypedRows } from './typed-rows.ts';

const maxConcurrent = 3;

/** Reads the rows of a Parquet file, and cuts them into data files by content. */
export async function readParquet(
  { converters }: { readonly converters: TableConverters },
  landed: LandedFile,
): Promise<TypedRows> {
  const { folder, signal, report } = landed;
  const path = join(folder, 'landed.parquet');
  await pipeline(await landed.open(), createWriteStream(path), { signal });
  await using converter = await converters.open({ directory: folder });
  const incoming = await converter.inspectParquetColumns(path, signal);
  const columns = keepContract(contractOf(landed), incoming.map(toIncoming));
  const bad = new BadRows(join(folder, 'bad-values.jsonl'));
  const files: TypedFile[] = [];
  let rows = 0;
  const converted = converter.convertParquet(path, {
    columns,
    constraints: rowRulesOf(landed, columns),
    signal,
  });
  const stored = mapConcurrent(converted, maxConcurrent, async (chunk) => ({
    chunk,
    ...(chunk.file ? { typed: { staged: await landed.store(chunk.file), path: chunk.file.path } } : {}),
  }));
  for await (const { chunk, typed } of stored) {
    if (typed) files.push(typed);
    await bad.addAll(chunk.bad);
    rows += (typed?.staged.rows ?? 0) + chunk.bad.length;
    report(0.5, `read ${rows} rows`);
  }
  await bad.close();
  return { columns, files, bad: [bad], rowsIn: rows, notes: [] };
}
