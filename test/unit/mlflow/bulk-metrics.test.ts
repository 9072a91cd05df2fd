import { beforeEach, expect, test } from 'vitest';
import { bulkMetricEndpoints } from '../../../shared/api/mlflow/endpoints/bulk-metrics.ts';
import { runLinkEndpoints } from '../../../shared/api/mlflow/endpoints/run-links.ts';
import type { Tracking } from '../../../shared/domains/tracking/tracking.ts';
import type { Send } from '../../support/mlflow/script.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createDocuments } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

interface Point {
  readonly run_id: string;
  readonly step: number;
  readonly value: number | string;
}

let tracking: Tracking;
let send: Send;

beforeEach(() => {
  tracking = openTracking(createDocuments());
  send = openWire([...bulkMetricEndpoints(tracking.runs), ...runLinkEndpoints(tracking.links)]);
});

async function createRun(values: readonly number[]): Promise<string> {
  const { runId } = (await tracking.runs.create({}, 'ann')).info;
  const metrics = values.map((value, step) => ({ key: 'm', timestamp: 100 - step, step, value }));
  await tracking.runs.logBatch(runId, { metrics, params: [], tags: [] }, 'ann');
  return runId;
}

async function ask(path: string, query: readonly (readonly [string, string])[]): Promise<readonly Point[]> {
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
  const { status, json } = await send('GET', `mlflow/metrics/${path}?${search.toString()}`, undefined);
  expect(status, JSON.stringify(json)).toBe(200);
  return (json as { metrics: readonly Point[] }).metrics;
}

test('sorts histories by run, then by time, up to the limit', async () => {
  const runs = [await createRun([1, NaN, 3]), await createRun([4, -Infinity])].sort();
  const query = [...runs, 'f'.repeat(32)].map((runId) => ['run_id', runId] as const);
  const all = await ask('get-history-bulk', [...query, ['metric_key', 'm']]);
  expect(all.map(({ run_id }) => run_id)).toEqual(all.map(({ run_id }) => run_id).toSorted());
  expect(all.length).toBe(5);
  const first = all.filter(({ run_id }) => run_id === runs[0]);
  expect(first.map(({ step }) => step)).toEqual(first.map(({ step }) => step).toSorted((a, b) => b - a));
  expect(all.map(({ value }) => value)).toContain('NaN');
  expect(all.map(({ value }) => value)).toContain('-Infinity');
  const some = await ask('get-history-bulk', [...query, ['metric_key', 'm'], ['max_results', '4']]);
  expect(some).toEqual(all.slice(0, 4));
});

test('samples histories run by run, by step', async () => {
  const [a, b] = [await createRun(Array.from({ length: 30 }, (_, i) => i)), await createRun([1, 2, 3])];
  const points = await ask('get-history-bulk-interval', [
    ['run_ids', a],
    ['run_ids', b],
    ['metric_key', 'm'],
    ['max_results', '4'],
  ]);
  expect(points.map(({ run_id, step }) => [run_id === a ? 'a' : 'b', step])).toEqual([
    ...[0, 8, 16, 29].map((step) => ['a', step]),
    ...[0, 1, 2].map((step) => ['b', step]),
  ]);
});

const many = Array.from({ length: 101 }, (_, index) => `run_ids=${index}`).join('&');
const interval = 'get-history-bulk-interval';

test.each([
  ['get-history-bulk?metric_key=k', 'GetMetricHistoryBulk request must specify at least one run_id.'],
  [
    `get-history-bulk?metric_key=k&${many.replaceAll('run_ids', 'run_id')}`,
    'cannot specify more than 100 run_ids',
  ],
  ['get-history-bulk?run_id=1', 'GetMetricHistoryBulk request must specify a metric_key.'],
  ['get-history-bulk?run_id=1&metric_key=k&max_results=-1', "Invalid value -1 for parameter 'max_results'"],
  [`${interval}?metric_key=k`, "Missing value for required parameter 'run_ids'."],
  [
    `${interval}?metric_key=k&${many}`,
    'GetMetricHistoryBulkInterval request must specify at most 100 run_ids.',
  ],
  [`${interval}?run_ids=1&metric_key=`, "Missing value for required parameter 'metric_key'"],
  [`${interval}?run_ids=1&metric_key=k&max_results=0`, 'max_results must be between 1 and 2500'],
  [
    `${interval}?run_ids=1&metric_key=k&start_step=1`,
    'If either start step or end step are specified, both must be',
  ],
  [
    `${interval}?run_ids=1&metric_key=k&start_step=1&end_step=0`,
    'end_step must be greater than start_step. ',
  ],
])('%s is refused', async (path, message) => {
  const { status, json } = await send('GET', `mlflow/metrics/${path}`, undefined);
  expect(status).toBe(400);
  expect(json).toMatchObject({
    error_code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining(message) as string,
  });
});

test.each([
  [{}, 'SearchDatasets request must specify at least one experiment_id.'],
  [{ experiment_ids: [] }, 'SearchDatasets request must specify at least one experiment_id.'],
  [
    { experiment_ids: Array(21).fill('1') },
    'SearchDatasets request cannot specify more than 20 experiment_ids',
  ],
])('datasets of %j are refused', async (body, message) => {
  const { status, json } = await send('POST', 'mlflow/experiments/search-datasets', body);
  expect(status).toBe(400);
  expect(json).toMatchObject({ message: expect.stringContaining(message) as string });
});

test('the history tag keeps what MLflow keeps of each model', async () => {
  const runId = await createRun([]);
  const model = {
    run_id: runId,
    artifact_path: 'p',
    utc_time_created: 't',
    model_uuid: 'u',
    flavors: { sklearn: { config: { big: 1 }, version: 1 }, python_function: null },
    signature: { inputs: '[]' },
  };
  const body = { run_id: runId, model_json: JSON.stringify(model) };
  expect((await send('POST', 'mlflow/runs/log-model', body)).status).toBe(200);
  const tag = (await tracking.runs.get(runId)).tags.get('mlflow.log-model.history');
  const { signature: _, ...kept } = model;
  expect(JSON.parse(tag!)).toEqual([
    { ...kept, flavors: { sklearn: { version: 1 }, python_function: null } },
  ]);
});
