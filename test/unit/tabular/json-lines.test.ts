import { expect, test } from 'vitest';
import { scanBytes, textsOf } from '../../support/tabular/scan-bytes.ts';

const scan = (text: string, options: Parameters<typeof scanBytes>[1] = {}) =>
  scanBytes(text, { kind: 'jsonl', ...options });

test('each line is a record, except blank lines', async () => {
  const lines = ['{"a": 1}', '{"a": "x,y\\n\\"z\\""}', '{"a":\t"東京"}', 'not JSON'];
  for (const end of ['\n', '\r\n', '\r', '\n \t\r\n\n']) {
    for (const blocks of [[1], [3], [1000]]) {
      const scanned = await scan(`\ufeff${lines.join(end)}`, { blocks });
      expect(textsOf(scanned)).toEqual(lines);
      expect(scanned).toMatchObject({ shape: { kind: 'jsonl' }, bad: [], totals: { records: 4 } });
    }
  }
});

test('refuses control characters, bad encoding, depth and length before parsing', async () => {
  const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const lines = [
    '{"a": 1}',
    '{"a": "\u0001"}',
    `{"a": ${deep(999)}}`,
    `{"a": ${deep(1000)}}`,
    `{"a": "${'['.repeat(2000)}\\"${'['.repeat(2000)}"}`,
    `{"a": "${'x'.repeat(20_000)}"}`,
    '{"a": "\u0000"}',
    '{}',
  ];
  const limits = { maxRecordBytes: 10_000 };
  for (const blocks of [[64], [100_000]]) {
    const { bad, totals } = await scan(lines.join('\n'), { limits, blocks });
    expect(totals).toMatchObject({ records: 8, badRows: 4 });
    expect(bad).toMatchObject([
      { row: 2, code: 'BAD_JSON', reason: expect.stringContaining('control characters') },
      { row: 4, code: 'BAD_JSON', reason: expect.stringContaining('deeper than 1000') },
      { row: 6, code: 'TOO_LONG' },
      { row: 7, code: 'BAD_JSON' },
    ]);
  }
  const latin1 = await scanBytes(Buffer.from('{"a": "ü"}\n{}\n', 'latin1'), { kind: 'jsonl' });
  expect(latin1.bad).toMatchObject([{ row: 1, code: 'BAD_ENCODING', raw: '{"a": "ü"}', isLatin1: true }]);
});

test('reports positions in bytes', async () => {
  const { chunks } = await scan('{"a":"ü"}\r\n\r\n{}');
  expect(chunks[0]!.records).toEqual([
    { row: 1, offset: 0, length: 10 },
    { row: 2, offset: 14, length: 2 },
  ]);
});

test.each(['', '\n', ' \n\t\r\n'])('refuses an empty file: %j', async (text) => {
  await expect(scan(text)).rejects.toMatchObject({
    code: 'UNPROCESSABLE',
    message: expect.stringContaining('empty'),
  });
});

test('refuses an array', async () => {
  await expect(scan(' [{"a": 1}]')).rejects.toThrow(/JSON array/);
});
