import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { createParquetReader } from '../../../shared/adapters/duckdb/scanning/parquet-reader.ts';
import { runInChunks } from '../../../shared/adapters/onnx/scoring/run-in-chunks.ts';
import { createSession } from '../../../shared/adapters/onnx/sessions/session.ts';
import { writeModel } from '../../../shared/adapters/onnx/files/write-model.ts';
import { packRows, toInputs, type PackedRows } from '../../../shared/domains/serving/pack-rows.ts';
import { parseTrainingSpec } from '../../../shared/domains/training/catalog.ts';
import { loadTable } from '../../../shared/domains/training/load-table.ts';
import { createTraining } from '../../../shared/domains/training/training.ts';
import type { TableReader } from '../../../shared/domains/training/table-reader.ts';
import { train } from '../../../shared/domains/training/train.ts';
import { logistic } from '../../../shared/domains/training/trainers/logistic.ts';
import { flightsPath, flightsSpec, makeTempDir, writeParquet } from '../../support/training/training.ts';

const parityRows = 100_000;
const workerUrl = new URL('../../../shared/workers/training.ts', import.meta.url);

test('half a million real flights give equal scores in trainer and runtime', async () => {
  const path = join(await makeTempDir(), 'january.parquet');
  await writeParquet(path, `SELECT * FROM read_parquet('${flightsPath}') WHERE date < '2001-02-01'`);
  const spec = parseTrainingSpec(flightsSpec);
  const reader = createParquetReader({ threads: 1 });
  const { model, report } = await train(reader, [path], spec, {
    now: () => 0,
    onProgress: () => {},
    threads: 1,
    yield: async () => {},
    signal: new AbortController().signal,
  });
  expect(report.rows.train + report.rows.holdout).toBe(508_239);
  expect(report.fit.converged).toBe(true);
  const metrics: Readonly<Record<string, number>> = report.metrics;
  expect(metrics['baseRate']).toBeCloseTo(0.215, 2);
  expect(metrics['aucScore']).toBeGreaterThan(0.64);
  expect(metrics['calibrationErrorDistance']).toBeLessThan(0.01);

  const metadata = { 'slipway.code': 'test', 'slipway.dataset': 'd@1', 'slipway.dataset.sha256': 'abc' };
  const bytes = writeModel(model, report.signature, metadata);
  const threads = createTraining({ workerUrl }, { threads: 2, memoryLimitMb: 512 });
  const lineage = { dataset: { name: 'd', version: 1, sha256: 'abc' }, codeVersion: 'test' };
  const inThread = await threads.train({ paths: [path], spec, lineage });
  const training = { ...metadata, 'slipway.training': JSON.stringify(spec) };
  expect(inThread.report.metrics).toEqual(report.metrics);
  expect(writeModel(model, report.signature, training).length).toBe(inThread.onnx.length);

  // 100,000 flights scored like requests, compared with the trainer's own predictions.
  const table = await loadTable(reader, [path], spec, 'binary');
  const rows = Int32Array.from({ length: parityRows }, (_, i) => i);
  const { probabilities: own } = logistic.predict(model, table, rows);
  const requests = await readRequests(reader, path, parityRows);
  const session = await createSession(bytes);
  const packed = packRows(report.signature, requests, { maxRows: requests.length });
  const score = async (some: PackedRows, chunkRows: number) => {
    const call = { inputs: toInputs(some), outputs: ['probability'], rows: some.rows };
    return (await runInChunks(session, call, chunkRows)).get('probability')?.data as Float32Array;
  };
  const scored = await score(packed, 1024);
  let largest = 0;
  let different = 0;
  for (const [i, p] of own.entries()) {
    const difference = Math.abs(scored[i]! - p);
    largest = Math.max(largest, difference);
    if (difference > 0) different += 1;
  }
  expect(largest).toBeLessThanOrEqual(2 ** -24);
  expect(different).toBeLessThanOrEqual(5);
  const some = packRows(report.signature, requests.slice(0, 5000), { maxRows: 5000 });
  expect(sha256(bytesOf(await score(some, 1)))).toBe(sha256(bytesOf(scored.slice(0, 5000))));
  await session.release();
});

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function readRequests(reader: TableReader, path: string, count: number) {
  const scan = await reader.scan(
    [path],
    [
      { name: 'date', as: 'timestamp' },
      { name: 'distance', as: 'number' },
      { name: 'origin', as: 'category' },
      { name: 'destination', as: 'category' },
    ],
  );
  const requests: Record<string, unknown>[] = [];
  const [, , origins, destinations] = scan.categories;
  for await (const { rows, columns } of scan.batches()) {
    const [date, distance, origin, destination] = columns;
    if (date?.as !== 'number' || distance?.as !== 'number') throw new Error('not numbers');
    if (origin?.as !== 'category' || destination?.as !== 'category') throw new Error('not categories');
    if (requests.length >= count) break;
    for (let row = 0; row < rows; row++)
      requests.push({
        date: new Date(date.values[row]!).toISOString(),
        distance: distance.values[row],
        origin: origins?.[origin.codes[row]!],
        destination: destinations?.[destination.codes[row]!],
      });
  }
  scan.close();
  return requests.slice(0, count);
}
