import { sha256 } from '../../../../core/ids.ts';
import type { BlobStore } from '../../../../platform/storage/blobs.ts';
import type { Pace } from '../../../../platform/storage/optimistic.ts';
import { hashSource, type Source } from '../../entities.ts';
import type { QuarantineEntry } from '../../quarantine/quarantine-entry.ts';
import { quarantineBlob } from '../../quarantine/quarantine-blob.ts';
import type { BadRows } from './bad-rows.ts';
import type { ReadTable } from './landed-file.ts';

/**
 * Stores the bad rows of a file, one JSON object a line, under a name that the same file gives again.
 *
 * @returns undefined when all rows are good
 */
export async function keepBadRows(
  { blobs, pace }: { readonly blobs: BlobStore; readonly pace: Pace },
  { dataset, source, runId }: { readonly dataset: string; readonly source: Source; readonly runId: string },
  { bad, header }: Pick<ReadTable, 'bad' | 'header'>,
  format: string,
): Promise<QuarantineEntry | undefined> {
  const rows = bad.reduce((total, part) => total + part.rows, 0);
  if (rows === 0) return undefined;
  const { container, name: blob } = quarantineBlob(dataset, source, 'jsonl');
  await blobs.put({ container, name: blob }, concat(bad), { contentType: 'application/x-ndjson' });
  const codes: Record<string, number> = {};
  for (const part of bad)
    for (const [code, count] of Object.entries(part.codes)) codes[code] = (codes[code] ?? 0) + count;
  return {
    quarantineId: sha256(hashSource(source)).slice(0, 24),
    dataset,
    source,
    runId,
    rows,
    codes,
    container,
    blob,
    ...(header ? { header: [...header] } : {}),
    format: format === 'jsonl' ? 'jsonl' : format === 'parquet' ? 'parquet' : 'csv',
    quarantinedAt: pace.clock.now(),
  };
}

async function* concat(parts: readonly BadRows[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* part.open();
}
