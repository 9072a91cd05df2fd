import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataset, pipeline, type RunView } from '../../examples/flights/loop.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

const example = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../examples/flights/pipeline.json'), 'utf8'),
) as { readonly params: { readonly training: object } };

/** A long fit: 2,000 weights, whose equations take a second or more in each iteration. */
const endlessTraining = {
  ...example.params.training,
  features: [{ column: 'distance', kind: 'categorical' }],
  trainer: {
    name: 'logistic',
    params: { minCategoryRows: 1, l2: 1e-6, maxIterations: 1_000, tolerance: 1e-15 },
  },
};

test('cancelling a run over HTTP stops its running step and starts no other', async () => {
  const platform = await startPlatform();
  const declared = { ...example, params: { ...example.params, training: endlessTraining } };
  await platform.call('PUT', `api/v1/pipelines/${pipeline}`, declared);
  const file = join(createFolder(), 'flights.parquet');
  await writeFlights(file, { rows: 60_000 });
  await platform.upload('landing', `${dataset}/flights.parquet`, file);

  const list = () => platform.call<{ items: { runId: string }[] }>('GET', `api/v1/runs?pipeline=${pipeline}`);
  await expect.poll(list).toMatchObject({ items: [{}] });
  const { runId } = (await list()).items[0]!;
  const get = () => platform.call<RunView>('GET', `api/v1/runs/${runId}`);
  const cancel = () => platform.call<RunView>('POST', `api/v1/runs/${runId}/cancel`, {});
  const fit = async () => (await get()).steps[0];
  await expect.poll(fit).toMatchObject({ progress: { message: expect.stringContaining('iteration') } });

  expect(await cancel()).toMatchObject({ status: 'cancelled' });
  await expect.poll(fit).not.toMatchObject({ status: 'running' });
  expect(await get()).toMatchObject({
    status: 'cancelled',
    steps: [
      { step: 'train', status: 'failed', error: { code: 'CANCELLED' } },
      { step: 'record', status: 'waiting' },
      { step: 'register', status: 'waiting' },
      { step: 'deploy', status: 'waiting' },
    ],
  });
  // A client that lost the answer may cancel again.
  expect(await cancel()).toMatchObject({ status: 'cancelled' });
  expect(await platform.call('GET', 'api/v1/models')).toMatchObject({ items: [] });
});
