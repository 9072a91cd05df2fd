import { AppError } from '../core/errors.ts';

export type FileFormat = TextFormat | { readonly format: 'parquet'; readonly compression: 'none' };
export interface TextFormat {
  readonly format: 'csv' | 'tsv' | 'jsonl';
  readonly compression: Compression;
}
export type Compression = 'none' | 'gzip' | 'zstd';

/**
 * @param firstBytes up to 64 KiB of the file as it lies there
 * @throws UNPROCESSABLE saying what the bytes look like, or what is accepted
 */
export function detectFormat(_name: string, _firstBytes: Uint8Array): FileFormat {
  throw new AppError('NOT_IMPLEMENTED', 'Not yet.');
}
