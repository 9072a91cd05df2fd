import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StreamFormat } from '../../../shared/domains/datasets/reading/table-engine.ts';
import { blobContainers } from '../../../shared/core/names/resources.ts';
import { type DatasetBench, openDatasetBench } from '../../support/datasets/datasets.ts';
import { createTestEngine } from '../../support/datasets/readable-version.ts';
import { createFolder } from '../../support/stores.ts';

/** Every type that text can carry, at its edges; an empty field is null, and `""` the empty text. */
const original = [
  'id,price,ratio,flag,day,at,text',
  '9223372036854775807,0.10,0.1,true,0001-01-01,0001-01-01T00:00:00Z,plain',
  '-9223372036854775808,-1234567890123456.78,1e300,false,9999-12-31,9999-12-31T23:59:59.999999Z,007',
  '0,0.00,NaN,true,2024-02-29,2024-02-29T12:30:00.000001Z,"a ""quote"", and\nlines\r\nof both kinds"',
  '9007199254740993,12.00,Infinity,false,1969-12-31,1969-12-31T23:59:59.999999Z,""',
  '1,5.50,-Infinity,true,1970-01-01,1970-01-01T00:00:00Z, padded ',
  '2,5.50,5e-324,true,1970-01-01,1970-01-01T00:00:00Z,NA',
  '3,5.50,123456.789,true,1970-01-01,1970-01-01T00:00:00Z,é😀,'.slice(0, -1),
  ',,,,,,',
  '',
].join('\n');

describe('a downloaded file gives the same rows when it is dropped again', () => {
  let bench: DatasetBench;
  beforeAll(async () => {
    bench = await openDatasetBench();
    await bench.ingest(bench.datasets, 'original', original);
  });
  afterAll(() => bench.close());

  async function download(dataset: string, format: StreamFormat): Promise<string> {
    const { files, columns } = await bench.datasets.versions.resolve(dataset, 'latest');
    const folder = createFolder();
    const paths: string[] = [];
    for (const [index, { path }] of files.entries()) {
      const { body } = await bench.blobs.open({ container: blobContainers.datasets, name: path });
      paths.push(join(folder, `${index}.parquet`));
      await pipeline(body, createWriteStream(paths[index]!));
    }
    const each = async function* () {
      yield* paths;
    };
    return Buffer.concat(
      await Array.fromAsync(createTestEngine().encode(format, columns, each())),
    ).toString();
  }

  test('covers every type of a text file', async () => {
    const { columns } = await bench.datasets.versions.resolve('original', 'latest');
    expect(columns.map(({ type }) => type)).toEqual([
      'int64',
      'decimal(18,2)',
      'double',
      'boolean',
      'date',
      'timestamp',
      'string',
    ]);
    const rows = await bench.read('original', 'latest');
    expect(rows).toHaveLength(8);
    expect(rows[3]![6]).toBe('');
    expect(rows[7]).toEqual(Array.from({ length: 7 }, () => null));
  });

  test.each(['csv', 'jsonl'] as const)('as %s', async (format) => {
    const { datasets, ingest, read } = bench;
    const dataset = `again-${format}`;
    await ingest(datasets, dataset, await download('original', format), { file: `all.${format}` });
    const [before, after] = await Promise.all([
      datasets.versions.resolve('original', 'latest'),
      datasets.versions.resolve(dataset, 'latest'),
    ]);
    const typesOf = ({ columns }: typeof before) => columns.map(({ name, type }) => [name, type]);
    expect(typesOf(after)).toEqual(typesOf(before));
    expect(await read(dataset, 'latest')).toEqual(await read('original', 'latest'));
    expect(await download(dataset, format)).toBe(await download('original', format));
  });
});
