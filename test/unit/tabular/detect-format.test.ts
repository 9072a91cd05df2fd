import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../../../shared/core/errors.ts';
import { detectFormat } from '../../../shared/formats/tabular/detect-format.ts';

const csv = Buffer.from('a,b\n1,2\n');
const gzip = gzipSync(csv);
const zstd = zstdCompressSync(csv);
const parquet = Buffer.from('PAR1\x15\x04\x15');

describe('by name and bytes', () => {
  test.each([
    ['x.csv', csv, 'csv', 'none'],
    ['landing/a.b/X.CSV', csv, 'csv', 'none'],
    ['x.tsv', csv, 'tsv', 'none'],
    ['x.2026-11-01.tab', csv, 'tsv', 'none'],
    ['x.jsonl', Buffer.from('{"a":1}'), 'jsonl', 'none'],
    ['x.ndjson', Buffer.from('\n {"a":1}'), 'jsonl', 'none'],
    ['x.csv.gz', gzip, 'csv', 'gzip'],
    ['x.tsv.zst', zstd, 'tsv', 'zstd'],
    ['x.jsonl.zstd', zstd, 'jsonl', 'zstd'],
    ['x.parquet', parquet, 'parquet', 'none'],
    // Compressed or decompressed in transit.
    ['x.csv', gzip, 'csv', 'gzip'],
    ['x.csv', zstd, 'csv', 'zstd'],
    ['x.csv.gz', csv, 'csv', 'none'],
    ['x.csv.gz', zstd, 'csv', 'zstd'],
    // A skippable frame first.
    ['x.csv.zst', Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), 'csv', 'zstd'],
    // An unknown extension.
    ['x', parquet, 'parquet', 'none'],
    ['x.txt', csv, 'csv', 'none'],
    ['x.dat', Buffer.from('a;b\n1;2'), 'csv', 'none'],
    ['x', Buffer.from('a\tb\n1\t2'), 'tsv', 'none'],
    ['x.json', Buffer.from('{"a":1}\n{"a":2}'), 'jsonl', 'none'],
    ['x.json', Buffer.from(`{"a":"${'x'.repeat(9000)}`), 'jsonl', 'none'],
    // Encodings.
    ['x.csv', Buffer.from('\ufeffa,b'), 'csv', 'none'],
    ['x.csv', Buffer.from('\ufeffa,b', 'utf16le'), 'csv', 'none'],
    ['x.csv', Buffer.from('K\xf6ln,b', 'latin1'), 'csv', 'none'],
    // Names that start like other formats.
    ['x.csv', Buffer.from('ORC,elf\n1,2\n'), 'csv', 'none'],
    ['x.csv', Buffer.from('BZh,b\n'), 'csv', 'none'],
    ['x.csv', Buffer.from('[a],b\n'), 'csv', 'none'],
  ])('%s', (name, bytes, format, compression) => {
    expect(detectFormat(name, bytes)).toEqual({ format, compression });
  });
});

describe('refused', () => {
  test.each([
    ['x.csv', '', /empty/],
    ['x.csv', parquet, /content of a Parquet file.*\.parquet/],
    ['x.jsonl.gz', parquet, /Parquet/],
    ['x.parquet', csv, /PAR1/],
    ['x.parquet.gz', gzip, /compressed Parquet file.*drop the \.parquet/],
    ['x.parquet', gzip, /compressed Parquet file/],
    ['x.parquet.zst', parquet, /compressed Parquet file/],
    [
      'x.csv',
      'PK\x03\x04\x14\0\0\0\0\0xxxxxxxxxxxxxxxx[Content_Types].xml',
      /Excel workbook.*Save the sheet as CSV/,
    ],
    ['x.zip', 'PK\x03\x04\x14\0\0\0\0\0xxxxxxxxxxxxxxxtable.csv', /zip archive/],
    ['x.xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /old Excel/],
    ['x.csv', '<!DOCTYPE html>\n<html>', /web page/],
    ['x.csv', '\n<html lang="en">', /web page/],
    ['x.csv', '%PDF-1.7', /PDF/],
    ['x.csv.bz2', Buffer.from('425a683931415926535900', 'hex'), /bzip2/],
    ['x.csv.xz', Buffer.from('fd377a585a0000', 'hex'), /xz/],
    ['x.orc', 'ORC\n\x1b\0\0', /ORC/],
    ['x.feather', Buffer.from('ARROW1\0\0'), /Arrow/],
    ['x.csv', Buffer.from('a,b\n1,2\n3,4\n', 'utf16le'), /UTF-16 without a byte order mark/],
    ['x.csv', Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256)), /not text/],
    ['x.jsonl', '[\n {"a": 1}', /JSON array.*jq/],
    ['x.json', '[{"a": 1}]', /JSON array.*jq/],
    ['x.csv', '{"a": 1}', /contains JSON.*\.jsonl/],
    ['x', gzip, /no known extension.*\.csv, \.tsv and \.jsonl/],
    ['x.bin', 'just words', /no known extension.*\.parquet/],
    ['x.json', '{\n  "a": 1\n}', /no known extension/],
  ])('%s %#', (name, bytes, message) => {
    const read = () => detectFormat(name, Buffer.from(bytes as string, 'latin1'));
    expect(read).toThrow(message);
    try {
      read();
    } catch (error) {
      expect(isAppError(error, 'UNPROCESSABLE')).toBe(true);
    }
  });
});
