import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IngestBench, openIngestBench } from '../../support/datasets/dirty-ingest.ts';
import { createFolder } from '../../support/stores.ts';

/** As Excel saves "Unicode text". */
function utf16(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
}

const taken: readonly {
  readonly file: string;
  readonly content: string | Buffer;
  /** Column, type, and a part of its note, if it must have one. */
  readonly columns: readonly (readonly [name: string, type: string, note?: string])[];
  readonly first: readonly (string | null)[];
}[] = [
  {
    file: 'excel-utf-16.csv',
    content: utf16('id;name;price\r\n1;Ä;1,50\r\n2;B;2,75\r\n'),
    columns: [
      ['id', 'int64'],
      ['name', 'string'],
      ['price', 'string', 'decimal comma'],
    ],
    first: ['1', 'Ä', '1,50'],
  },
  {
    file: 'excel-german.csv',
    content: '\uFEFFsep=;\r\nid;betrag\r\n1;1.234,50\r\n2;7,25\r\n',
    columns: [
      ['id', 'int64'],
      ['betrag', 'string', 'decimal comma'],
    ],
    first: ['1', '1.234,50'],
  },
  {
    file: 'money.csv',
    content: 'a,b,c,d,e\n$5.00,7 €,5%,"1,000.5",yes\n"$1,000.00",8 €,10%,"2,000.5",no\n',
    columns: [
      ['a', 'string', 'currency'],
      ['b', 'string', 'currency'],
      ['c', 'string', 'percent'],
      ['d', 'string', 'separators'],
      ['e', 'string', 'true or false'],
    ],
    first: ['$5.00', '7 €', '5%', '1,000.5', 'yes'],
  },
  {
    file: 'nanoseconds.csv',
    content: 'at\n2024-01-01T00:00:00.123456789Z\n',
    columns: [['at', 'string', 'microsecond']],
    first: ['2024-01-01T00:00:00.123456789Z'],
  },
  {
    file: 'a-delimiter-too-many.csv',
    content: 'id,name,\n1,a,\n2,b,\n',
    columns: [
      ['id', 'int64'],
      ['name', 'string'],
      ['column_3', 'string', 'no values'],
    ],
    first: ['1', 'a', null],
  },
  {
    file: 'pandas-index.csv',
    content: ',id,name\n0,1,a\n1,2,b\n',
    columns: [
      ['column_1', 'int64'],
      ['id', 'int64'],
      ['name', 'string'],
    ],
    first: ['0', '1', 'a'],
  },
  {
    file: 'not-compressed.csv.gz',
    content: 'id,name\n1,a\n',
    columns: [
      ['id', 'int64'],
      ['name', 'string'],
    ],
    first: ['1', 'a'],
  },
  {
    file: 'compressed.csv',
    content: gzipSync('id,name\n1,a\n'),
    columns: [
      ['id', 'int64'],
      ['name', 'string'],
    ],
    first: ['1', 'a'],
  },
  {
    file: 'nul-and-old-mac.csv',
    content: 'id,name\r1,a\0b\r2,c\r',
    columns: [
      ['id', 'int64'],
      ['name', 'string'],
    ],
    first: ['1', 'a\0b'],
  },
  {
    file: 'names-of-objects.jsonl',
    content: '{"__proto__":1,"constructor":2}\n{"__proto__":3,"constructor":4}\n',
    columns: [
      ['__proto__', 'int64'],
      ['constructor', 'int64'],
    ],
    first: ['1', '2'],
  },
];

const refused: readonly {
  readonly file: string;
  readonly content: string | Buffer;
  readonly says: string;
}[] = [
  {
    file: 'titles.csv',
    content: 'Report of sales\nGenerated 2024-01-01\n\nid,name,price\n1,a,2.5\n2,b,3.5\n',
    says: 'lines before the header',
  },
  {
    file: 'comment.csv',
    content: '# made by a tool\nid,name\n1,a\n2,b\n',
    says: 'lines before the header',
  },
  { file: 'ends-in-delimiters.csv', content: 'id,name\n1,a,\n2,b,\n', says: 'ends with a delimiter' },
  { file: 'array.json', content: '[\n  {"id": 1},\n  {"id": 2}\n]\n', says: 'JSON array' },
  { file: 'lines.csv', content: '{"id":1}\n{"id":2}\n', says: 'contains JSON' },
  { file: 'twice.csv.gz', content: gzipSync(gzipSync('id\n1\n')), says: 'compressed twice' },
  { file: 'names-twice.csv', content: 'id,id,name\n1,2,a\n', says: 'columns 1 and 2' },
  { file: 'no-header.csv', content: '1,2,3\n4,5,6\n7,8,9\n', says: 'header seems to be missing' },
  { file: 'login.csv', content: '<!DOCTYPE html>\n<html></html>\n', says: 'web page' },
  { file: 'workbook.csv', content: Buffer.from('504b0304140006000800000021', 'hex'), says: 'zip archive' },
];

describe('files as users drop them', () => {
  let bench: IngestBench;
  beforeAll(async () => {
    bench = await openIngestBench();
  });
  afterAll(() => bench.close());

  test.each(taken)(
    '$file is accepted, with notes on surprises',
    async ({ file, content, columns, first }) => {
      const path = join(createFolder(), file);
      writeFileSync(path, content);
      const outcome = await bench.ingest(path);
      if (outcome.kind === 'refused') throw new Error(outcome.reason);
      expect(outcome.columns.map(({ name, type }) => [name, type])).toEqual(
        columns.map(([name, type]) => [name, type]),
      );
      for (const [index, [, , note]] of columns.entries()) {
        if (note === undefined) expect(outcome.columns[index]?.note).toBeUndefined();
        else expect(outcome.columns[index]?.note).toContain(note);
      }
      expect((await outcome.readRows())[0]).toEqual(first);
      expect(outcome.rowsQuarantined).toBe(0);
    },
  );

  test.each(refused)('$file is refused with a remedy', async ({ file, content, says }) => {
    const path = join(createFolder(), file);
    writeFileSync(path, content);
    const outcome = await bench.ingest(path);
    expect(outcome.kind).toBe('refused');
    if (outcome.kind === 'refused') expect(outcome.reason).toContain(says);
  });
});
