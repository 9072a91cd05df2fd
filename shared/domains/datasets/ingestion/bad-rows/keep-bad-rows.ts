import type { Clock } from '../../../../core/clock.ts';
import { sha256 } from '../../../../core/ids.ts';
import type { FileFormat } from '../../../../formats/tabular/detect-format.ts';
import type { BlobWriter } from '../../../../platform/storage/blobs.ts';
import { hashSource, type Source } from '../../entities.ts';
import { quarantineBlob } from '../../quarantine/quarantine-blob.ts';
import type { QuarantineEntry } from '../../quarantine/quarantine-entry.ts';
import type { BadRows } from './bad-rows.ts';
import { countCodes } from './count-codes.ts';

/**
 * Stores the bad rows of a file, one JSON object per line, under a name that depends on the file alone.
 *
 * @returns undefined when there are no bad rows
 */
export async function keepBadRows(
  { blobs, clock }: { readonly blobs: BlobWriter; readonly clock: Clock },
  { dataset, source, runId }: { readonly dataset: string; readonly source: Source; readonly runId: string },
  { bad, header }: { readonly bad: readonly BadRows[]; readonly header?: readonly string[] },
  format: FileFormat['format'],
): Promise<QuarantineEntry | undefined> {
  const rows = bad.reduce((total, part) => total + part.rows, 0);
  if (rows === 0) return undefined;
  const { container, name: blob } = quarantineBlob(dataset, source, 'jsonl');
  await blobs.put({ container, name: blob }, concat(bad), { contentType: 'application/x-ndjson' });
  return {
    quarantineId: sha256(hashSource(source)).slice(0, 24),
    dataset,
    source,
    runId,
    rows,
    codes: countCodes(bad),
    container,
    blob,
    ...(header ? { header: [...header] } : {}),
    format: format === 'tsv' ? 'csv' : format,
    quarantinedAt: clock.now(),
  };
}

async function* concat(parts: readonly BadRows[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* part.open();
}
