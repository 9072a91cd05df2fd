import { expect, test } from 'vitest';
import { experimentEndpoints } from '../../../shared/api/mlflow/endpoints/experiments.ts';
import { runEndpoints } from '../../../shared/api/mlflow/endpoints/runs.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createDocuments, createTickingClock } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

interface Answer {
  readonly status: number;
  readonly experiment_id: string;
  readonly run: { readonly info: { readonly run_id: string } };
  readonly runs: readonly { readonly info: { readonly run_id: string } }[];
}

function flatten({ status, json }: { readonly status: number; readonly json: unknown }): Answer {
  return { ...(json as Answer), status };
}

function open() {
  const tracking = openTracking(createDocuments(), { clock: createTickingClock() });
  const wire = openWire([...experimentEndpoints(tracking), ...runEndpoints(tracking)]);
  const post = async (path: string, body: Record<string, unknown>) =>
    flatten(await wire('POST', `mlflow/${path}`, body));
  const get = async (path: string) => flatten(await wire('GET', `mlflow/${path}`, undefined));
  return { ...tracking, post, get };
}

test('the name of a deleted experiment can be reused, which prevents its restore', async () => {
  const { post, get } = open();
  const first = await post('experiments/create', { name: 'n' });
  await post('experiments/delete', { experiment_id: first.experiment_id });
  const second = await post('experiments/create', { name: 'n' });
  expect(second.status).toBe(200);
  const byName = await get('experiments/get-by-name?experiment_name=n');
  expect(byName).toMatchObject({ experiment: { experiment_id: second.experiment_id } });
  const restored = await post('experiments/restore', { experiment_id: first.experiment_id });
  expect(restored).toMatchObject({ status: 400, error_code: 'RESOURCE_ALREADY_EXISTS' });
  await post('experiments/update', { experiment_id: second.experiment_id, new_name: 'other' });
  // The deleted experiment was the last to have the name.
  expect(await get('experiments/get-by-name?experiment_name=n')).toMatchObject({
    experiment: { experiment_id: first.experiment_id, lifecycle_stage: 'deleted' },
  });
  expect(await post('experiments/restore', { experiment_id: first.experiment_id })).toMatchObject({
    status: 200,
  });
});

test('restoring an experiment does not restore runs deleted individually', async () => {
  const { post, get } = open();
  const { experiment_id } = await post('experiments/create', { name: 'n' });
  const create = async () => (await post('runs/create', { experiment_id })).run.info.run_id;
  const [kept, gone] = [await create(), await create()];
  await post('runs/delete', { run_id: gone });
  await post('experiments/delete', { experiment_id });
  for (const run_id of [kept, gone])
    expect(await get(`runs/get?run_id=${run_id}`)).toMatchObject({
      run: { info: { lifecycle_stage: 'deleted' } },
    });
  const all = await post('runs/search', { experiment_ids: [experiment_id], run_view_type: 'DELETED_ONLY' });
  expect(all.runs).toHaveLength(2);
  await post('experiments/restore', { experiment_id });
  const search = async (run_view_type: string) =>
    (await post('runs/search', { experiment_ids: [experiment_id], run_view_type })).runs;
  expect((await search('ACTIVE_ONLY')).map(({ info }) => info.run_id)).toEqual([kept]);
  expect((await search('DELETED_ONLY')).map(({ info }) => info.run_id)).toEqual([gone]);
});

test.each([
  ['experiments/delete', { experimentId: '$' }],
  ['experiments/restore', { experiment_id: '$' }],
])('%s done twice is done once', async (path, body) => {
  const { post } = open();
  const { experiment_id } = await post('experiments/create', { name: 'n' });
  const filled = JSON.parse(JSON.stringify(body).replace('$', experiment_id)) as Record<string, unknown>;
  expect((await post(path, filled)).status).toBe(200);
  expect((await post(path, filled)).status).toBe(200);
});

test.each([
  'runs:/abc',
  's3://bucket/a?b=c',
  's3://bucket/a#b',
  'mlflow-artifacts:/a/../b',
  'mlflow-artifacts:/a/%252e%252e/b',
  `s3://${'x'.repeat(2_100)}`,
])('the artifact location %s is refused', async (artifact_location) => {
  const { post } = open();
  expect(await post('experiments/create', { name: 'n', artifact_location })).toMatchObject({
    status: 400,
    error_code: 'INVALID_PARAMETER_VALUE',
  });
});

test.each(['..', 'a b', 'a/b', '%00', '0'.repeat(300), '__proto__'])(
  'the experiment id %j is not found',
  async (id) => {
    const { get } = open();
    expect(await get(`experiments/get?experiment_id=${encodeURIComponent(id)}`)).toMatchObject({
      status: 404,
      error_code: 'RESOURCE_DOES_NOT_EXIST',
    });
    expect(await get(`runs/get?run_id=${encodeURIComponent(id)}`)).toMatchObject({ status: 404 });
  },
);

test('a deleted experiment refuses names, tags and runs', async () => {
  const { post } = open();
  const { experiment_id } = await post('experiments/create', { name: 'n' });
  await post('experiments/delete', { experiment_id });
  for (const [path, body] of [
    ['experiments/update', { experiment_id, new_name: 'm' }],
    ['experiments/set-experiment-tag', { experiment_id, key: 'k', value: 'v' }],
    ['runs/create', { experiment_id }],
  ] as const)
    expect(await post(path, body)).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
});

test('a purged experiment cannot be restored, and its name is reusable', async () => {
  const { post, get, experiments } = open();
  const { experiment_id } = await post('experiments/create', { name: 'n' });
  await expect(experiments.purge(experiment_id, 'test')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await post('experiments/delete', { experiment_id });
  await experiments.purge(experiment_id, 'test');
  expect((await get('experiments/get-by-name?experiment_name=n')).status).toBe(404);
  expect((await get(`experiments/get?experiment_id=${experiment_id}`)).status).toBe(404);
  expect((await post('experiments/create', { name: 'n' })).status).toBe(200);
});
