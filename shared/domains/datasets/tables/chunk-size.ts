import { z } from 'zod';
import type { Snapshot } from '../../../formats/delta/snapshots/snapshot.ts';
import type { ChunkSize } from '../../../formats/tabular/cut-chunks.ts';

/** The table property that holds the chunk size. Later files are cut alike, so that equal rows share data files. */
const key = 'slipway.chunkSize';

export const chunkSizeSchema = z.object({
  minRecords: z.int().min(1),
  targetRecords: z.int().min(1),
  maxRecords: z.int().min(1),
  maxBytes: z.int().min(1),
}) satisfies z.ZodType<ChunkSize>;

/** @returns undefined for a table without the property, and for an invalid value */
export function readChunkSize(snapshot: Snapshot | undefined): ChunkSize | undefined {
  const text = snapshot?.metadata.configuration[key];
  if (text === undefined) return undefined;
  try {
    return chunkSizeSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

export function configureChunkSize(size: ChunkSize | undefined): Readonly<Record<string, string>> {
  return size ? { [key]: JSON.stringify(size) } : {};
}
