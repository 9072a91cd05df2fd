import { blobContainers } from '../../../core/names/resources.ts';
import type { BlobRef } from '../../../platform/storage/blobs.ts';

/** An immutable Parquet file of a version, in the `datasets` container. */
export interface DataFile {
  /** The blob's name: `<dataset>/<sha256>.parquet`. */
  readonly path: string;
  /** Of its bytes. Omitted for a file of another writer, of which only the size can be checked. */
  readonly sha256?: string;
  readonly sizeBytes: number;
  readonly rows: number;
}

const pattern = /^([0-9a-f]{64})(?:\.(\d+))?\.parquet$/;

/**
 * The path of a data file within its table: its hash, so that equal content is stored once. A path can be in a table
 * only once, so further copies of the same content have a number.
 *
 * @example
 * dataPath('a'.repeat(64), 1).slice(60) // 'aaaa.1.parquet'
 */
export function dataPath(sha256: string, copy = 0): string {
  return copy === 0 ? `${sha256}.parquet` : `${sha256}.${copy}.parquet`;
}

/** @returns undefined for a file of another writer */
export function parseDataPath(path: string): { readonly sha256: string; readonly copy: number } | undefined {
  const match = pattern.exec(path);
  return match?.[1] === undefined ? undefined : { sha256: match[1], copy: Number(match[2] ?? 0) };
}

export function dataBlob(dataset: string, path: string): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/${path}` };
}
