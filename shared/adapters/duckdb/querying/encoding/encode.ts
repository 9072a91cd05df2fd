import type { StreamFormat } from '../../../../domains/datasets/reading/table-engine.ts';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { translateDuckDbError } from '../../errors.ts';
import { encodeCsvHeader, encodeText } from './encode-text.ts';
import type { JobLimits } from '../job-limits.ts';

/** Encodes all rows of files. Requests the next file after the one before is finished. */
export async function* encodeFiles(
  format: StreamFormat,
  columns: readonly Column[],
  files: AsyncIterable<string>,
  limits: JobLimits,
): AsyncGenerator<Uint8Array> {
  try {
    if (format === 'arrow') {
      // Loaded on demand, because loading is slow.
      const { ArrowEncoder } = await import('./encode-arrow.ts');
      const encoder = new ArrowEncoder(columns);
      yield encoder.begin;
      for await (const path of files) yield* encoder.encode(path, limits);
      yield encoder.end;
      return;
    }
    if (format === 'csv') yield encodeCsvHeader(columns);
    for await (const path of files) yield* encodeText(format, columns, path, limits);
  } catch (error) {
    throw translateDuckDbError(error);
  }
}
