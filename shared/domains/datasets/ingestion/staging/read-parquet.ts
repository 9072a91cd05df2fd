import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mapConcurrent } from '../../../../core/async/map-concurrent.ts';
import { BadRows } from './bad-rows.ts';
import {
  contractOf,
  type LandedFile,
  type ReadTable,
  rowRulesOf,
  type StageDeps,
  type TypedFile,
} from './landed-file.ts';
import { keepContract, toIncoming } from './keep-contract.ts';

const maxConcurrent = 3;

/** The rows of a Parquet file, as data files that are cut as those of text are. */
export async function readParquet(deps: StageDeps, landed: LandedFile): Promise<ReadTable> {
  const { folder, signal, report } = landed;
  const path = join(folder, 'landed.parquet');
  await pipeline(await landed.open(), createWriteStream(path), { signal });
  await using converter = await deps.converters.open({ directory: folder });
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
