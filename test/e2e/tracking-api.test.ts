import { expect, test } from 'vitest';
import { startPlatform } from '../support/host/platform.ts';

interface Created {
  readonly experiment_id: string;
  readonly run: { readonly info: { readonly run_id: string } };
}

test('lists, compares and plots runs of MLflow’s clients in the native API', async () => {
  const { url } = await startPlatform();
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status, path).toBe(200);
    return (await response.json()) as Created;
  };
  const get = async (path: string, status = 200) => {
    const response = await fetch(`${url}/api/v1/tracking/${path}`);
    expect(response.status, path).toBe(status);
    return response.json();
  };
  const { experiment_id } = await post('experiments/create', { name: 'native' });
  const runIds: string[] = [];
  for (const [name, rate] of [
    ['one', '0.1'],
    ['two', '0.2'],
  ] as const) {
    const run = { experiment_id, run_name: name, start_time: runIds.length };
    const { run_id } = (await post('runs/create', run)).run.info;
    runIds.push(run_id);
    const params = [
      { key: 'rate', value: rate },
      { key: 'same', value: 'x' },
    ];
    const metrics = Array.from({ length: 900 }, (_, step) => ({
      key: 'loss',
      value: step === 400 ? 'NaN' : step === 500 ? 1_000 : step % 7,
      timestamp: 5_000 - step,
      step,
    }));
    await post('runs/log-batch', { run_id, params, metrics });
  }
  const [one, two] = runIds as [string, string];

  for (const query of [`run=${one},${two}`, `run=${one}&run=${two}&run=${one}`])
    expect(await get(`runs/compare?${query}`)).toMatchObject({
      runs: [{ runId: one }, { runId: two }],
      params: [{ key: 'rate', values: ['0.1', '0.2'] }],
      metrics: [],
      tags: [{ key: 'mlflow.runName', values: ['one', 'two'] }],
    });
  expect(await get(`runs/compare?rows=all&run=${one}`)).toMatchObject({
    params: [
      { key: 'rate', values: ['0.1'] },
      { key: 'same', values: ['x'] },
    ],
    metrics: [{ key: 'loss', values: [899 % 7] }],
  });
  await get('runs/compare?run=,', 400);
  await get(`runs/compare?run=${one},${'0'.repeat(32)}`, 404);

  const series = (await get(`runs/${one}/series?metric=loss&points=50&x=time`)) as {
    points: { step: number; value: number }[];
    nonFinite: object[];
    total: number;
    isSampled: boolean;
  };
  expect(series).toMatchObject({ total: 900, isSampled: true });
  expect(series.points.length).toBeLessThanOrEqual(50);
  expect([series.points[0]?.step, series.points.at(-1)?.step]).toEqual([899, 0]);
  expect(series.points.find(({ step }) => step === 500)?.value).toBe(1_000);
  expect(series.nonFinite).toEqual([{ step: 400, timestamp: 4_600, value: 'NaN', count: 1 }]);
  expect(await get(`runs/${one}/series?metric=none`)).toEqual({
    points: [],
    nonFinite: [],
    total: 0,
    isSampled: false,
  });

  expect(await get(`runs/${two}`)).toMatchObject({
    runId: two,
    params: { rate: '0.2', same: 'x' },
    inputs: { datasets: [] },
  });
  await get(`runs/${'0'.repeat(32)}`, 404);
  expect(await get(`experiments/${experiment_id}`)).toMatchObject({ name: 'native' });
  await get('experiments/987654', 404);
  expect(await get("experiments?filter=name = 'native'")).toMatchObject({
    items: [{ experimentId: experiment_id }],
  });

  const runs = `experiments/${experiment_id}/runs`;
  const page = (await get(`${runs}?order=${encodeURIComponent('params.rate DESC, start_time')}&limit=1`)) as {
    items: object[];
    cursor: string;
  };
  expect(page.items).toMatchObject([{ runId: two }]);
  expect(
    await get(
      `${runs}?order=${encodeURIComponent('params.rate DESC, start_time')}&limit=1&cursor=${page.cursor}`,
    ),
  ).toMatchObject({ items: [{ runId: one }] });
  expect(
    await get(`${runs}?filter=${encodeURIComponent("params.rate = '0.1' OR metrics.loss > 5")}`),
  ).toMatchObject({
    items: [{ runId: one }],
  });
  await get(`${runs}?filter=nonsense`, 400);
});
