import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../../core/errors.ts';
import type { TextFormat } from '../../../../formats/tabular/detect-format.ts';
import { scanText } from '../../../../formats/tabular/scan-text.ts';
import { readChunkSize } from '../../tables/chunk-size.ts';
import { BadRows } from '../bad-rows/bad-rows.ts';
import type { LandedFile } from './landed-file.ts';
import { contractOf } from './row-rules.ts';
import type { TableConverters } from './table-converter.ts';
import { typeChunks } from './type-chunks.ts';
import type { TypedRows } from './typed-rows.ts';

/** Reads the rows of a text file into data files. */
export async function readText(
  { converters }: { readonly converters: TableConverters },
  format: TextFormat,
  landed: LandedFile,
): Promise<TypedRows> {
  const { folder, signal, source, report } = landed;
  const dir = join(folder, 'chunks');
  await mkdir(dir);
  const structural = new BadRows(join(folder, 'bad-records.jsonl'));
  const chunkSize = readChunkSize(landed.snapshot);
  await using scan = await scanText(await landed.open(), {
    format,
    dir,
    signal,
    onBad: (row) => structural.addAll([row]),
    ...(chunkSize ? { chunkSize } : {}),
  });
  await using converter = await converters.open({
    directory: folder,
    ...(scan.shape.kind === 'csv' ? { columns: scan.shape.header.length } : {}),
  });
  let records = 0;
  let bytes = 0;
  const typed = await typeChunks(scan.chunks(), landed, converter, (chunk) => {
    records += chunk.records;
    bytes += chunk.sizeBytes;
    // The decompressed size of a compressed file is unknown.
    const fraction = format.compression === 'none' ? bytes / source.sizeBytes : 0.5;
    report(Math.min(0.95, fraction), `read ${records} rows`);
  });
  await structural.close();
  await typed.bad.close();
  const totals = scan.totals();
  if (totals.records === 0 && !contractOf(landed))
    throw new AppError(
      'UNPROCESSABLE',
      'The file has a header but no rows, and the dataset has no version yet, so the types of its columns are unknown. Drop a file with rows first.',
    );
  return {
    columns: typed.columns,
    files: typed.files,
    bad: [structural, typed.bad],
    rowsIn: totals.records,
    notes: [...scan.notes, ...totals.notes],
    chunkSize: scan.chunkSize,
    ...(scan.shape.kind === 'csv' ? { header: scan.shape.header } : {}),
  };
}
