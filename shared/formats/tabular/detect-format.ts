import { AppError } from '../../core/errors.ts';
import type { Compression } from './bytes/decompress.ts';
import { hasUtf8Mark, isText, looksLikeUtf16, readSignature, readUtf16Mark } from './bytes/signatures.ts';

export type FileFormat = TextFormat | { readonly format: 'parquet'; readonly compression: 'none' };
export interface TextFormat {
  readonly format: TextKind;
  readonly compression: Compression;
}
export type TextKind = 'csv' | 'tsv' | 'jsonl';

const kinds = new Map<string, TextKind | 'parquet'>([
  ['csv', 'csv'],
  ['tsv', 'tsv'],
  ['tab', 'tsv'],
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['parquet', 'parquet'],
  ['pq', 'parquet'],
]);
const compressions = new Map<string, Compression>([
  ['gz', 'gzip'],
  ['gzip', 'gzip'],
  ['zst', 'zstd'],
  ['zstd', 'zstd'],
]);
const accepted = 'Accepted are .csv, .tsv and .jsonl (each also as .gz or .zst: sales.csv.gz), and .parquet.';

/**
 * Detects the format of a file by the extension of its name, and checks it against the bytes. Compression is detected by
 * the bytes alone, because browsers and clients may compress and decompress in transit. Without a known extension,
 * Parquet and unambiguous text are accepted.
 *
 * @param firstBytes up to 64 KiB of the stored file
 * @throws UNPROCESSABLE saying what the bytes look like, or which formats are accepted
 * @example
 * detectFormat('sales/2026-11.csv', new TextEncoder().encode('id,amount')) // { format: 'csv', compression: 'none' }
 * detectFormat('drop', new TextEncoder().encode('{"id": 1}')) // { format: 'jsonl', compression: 'none' }
 */
export function detectFormat(name: string, firstBytes: Uint8Array): FileFormat {
  if (firstBytes.length === 0) throw emptyFile();
  const endings = name.toLowerCase().split('/').at(-1)!.split('.').slice(1);
  const packed = compressions.get(endings.at(-1) ?? '');
  const kind = kinds.get(endings.at(packed ? -2 : -1) ?? '');
  const signature = readSignature(firstBytes);
  if (kind === 'parquet') return checkParquet(packed, signature?.kind);
  if (signature?.kind === 'parquet') {
    if (kind === undefined && packed === undefined) return { format: 'parquet', compression: 'none' };
    throw refused(`"${name}" has the content of a Parquet file`, 'Give it a name that ends in .parquet.');
  }
  const compression = signature?.kind === 'gzip' || signature?.kind === 'zstd' ? signature.kind : 'none';
  if (compression === 'none') checkText(firstBytes, kind);
  if (kind !== undefined) return { format: kind, compression };
  const sniffed = compression === 'none' ? sniffText(firstBytes) : undefined;
  if (sniffed === undefined) throw refused(`The name "${name}" has no known extension`, accepted);
  return { format: sniffed, compression };
}

function checkParquet(packed: Compression | undefined, signature: string | undefined): FileFormat {
  if (packed || signature === 'gzip' || signature === 'zstd') {
    throw refused(
      'A compressed Parquet file cannot be read: Parquet compresses its columns, and is read from its end',
      'Unpack it, and drop the .parquet file.',
    );
  }
  if (signature !== 'parquet') {
    throw refused('The file is named .parquet, but does not start like a Parquet file (PAR1)', accepted);
  }
  return { format: 'parquet', compression: 'none' };
}

/**
 * Refuses content that is not text, or has another text format than its name.
 *
 * @param bytes the start of the content, decompressed
 * @throws UNPROCESSABLE
 */
export function checkText(bytes: Uint8Array, kind: TextKind | undefined): void {
  const signature = readSignature(bytes);
  if (signature?.kind === 'other') throw refused(`This is ${signature.name}`, signature.remedy);
  if (signature) {
    const remedy = signature.kind === 'parquet' ? 'Drop it as a .parquet file.' : 'It was compressed twice.';
    throw refused(`The compressed file contains a file of another format: ${signature.kind}`, remedy);
  }
  if (readUtf16Mark(bytes)) return;
  if (looksLikeUtf16(bytes)) {
    throw refused('The file seems to be UTF-16 without a byte order mark', 'Save it as UTF-8.');
  }
  if (!isText(bytes)) throw refused('The file is not text: it has many control characters', accepted);
  const start = firstCharacters(bytes);
  if (start.startsWith('[') && kind !== 'csv' && kind !== 'tsv') {
    throw refused(
      'The file is a JSON array, not JSON lines',
      "Write one object per line: jq -c '.[]' file.json > file.jsonl",
    );
  }
  if (/^\{\s*"/.test(start) && (kind === 'csv' || kind === 'tsv')) {
    throw refused(`The file is named .${kind}, but contains JSON`, 'Give it a name that ends in .jsonl.');
  }
}

function sniffText(bytes: Uint8Array): TextKind | undefined {
  const start = firstCharacters(bytes);
  const line = /^[^\r\n]*/.exec(start)![0];
  if (line.startsWith('{')) return line.trimEnd().endsWith('}') || line.length > 4000 ? 'jsonl' : undefined;
  if (line.includes('\t')) return 'tsv';
  return /[,;|]/.test(line) ? 'csv' : undefined;
}

function firstCharacters(bytes: Uint8Array): string {
  const utf16 = readUtf16Mark(bytes);
  const text = Buffer.from(bytes.subarray(hasUtf8Mark(bytes) ? 3 : 0, 4096));
  return new TextDecoder(utf16 ?? 'utf-8').decode(text).trimStart();
}

export function emptyFile(): AppError {
  return new AppError('UNPROCESSABLE', 'The file is empty: it has neither a header nor a record.');
}

function refused(what: string, remedy: string): AppError {
  return new AppError('UNPROCESSABLE', `${what}. ${remedy}`);
}
