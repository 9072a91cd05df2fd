import { expect, test } from 'vitest';
import { startPlatform } from '../support/host/platform.ts';

interface Page {
  readonly items: readonly {
    readonly subject: { readonly id: string };
    readonly goes: boolean;
    readonly sizeBytes: number;
    readonly keptBy: readonly string[];
  }[];
  readonly cursor?: string;
}

test('purges a deleted run unless a model version needs it, and works without signed URLs', async () => {
  const platform = await startPlatform({ env: { SLIPWAY_TRASH_DAYS: '0', SLIPWAY_ARTIFACT_URLS: 'off' } });
  const mlflow = <T>(method: string, path: string, body?: object) =>
    platform.call<T>(method, `api/2.0/mlflow/${path}`, body);
  const createRun = async () => {
    const { run } = await mlflow<{ run: { info: { run_id: string; artifact_uri: string } } }>(
      'POST',
      'runs/create',
      {
        experiment_id: '0',
      },
    );
    const path = `api/2.0/mlflow-artifacts/artifacts/${run.info.artifact_uri.replace('mlflow-artifacts:/', '')}/a.bin`;
    const stored = await fetch(`${platform.url}/${path}`, { method: 'PUT', body: 'bytes' });
    expect(stored.status).toBe(200);
    return { runId: run.info.run_id, uri: run.info.artifact_uri, path };
  };
  const [free, needed, live] = [await createRun(), await createRun(), await createRun()];
  await mlflow('POST', 'registered-models/create', { name: 'm' });
  await mlflow('POST', 'model-versions/create', { name: 'm', source: needed.uri, run_id: needed.runId });
  for (const { runId } of [free, needed]) await mlflow('POST', 'runs/delete', { run_id: runId });

  const items: Page['items'][number][] = [];
  let cursor: string | undefined;
  do {
    const page: Page = await platform.call(
      'GET',
      `api/v1/trash?limit=5${cursor === undefined ? '' : `&cursor=${cursor}`}`,
    );
    items.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  expect(items).toMatchObject([
    { subject: { id: free.runId }, goes: true, sizeBytes: 5, keptBy: [] },
    { subject: { id: needed.runId }, goes: false, keptBy: ['Version 1 of the model "m" needs it.'] },
  ]);
  const dry = await platform.call<Page>('POST', 'api/v1/trash/collect', { dryRun: true });
  expect(dry.items).toHaveLength(2);
  expect(await platform.call('POST', 'api/v1/trash/collect')).toMatchObject({
    removed: [{ kind: 'run', id: free.runId }],
    kept: [{ subject: { id: needed.runId } }],
    isDone: true,
  });
  const status = async (path: string, method = 'GET') =>
    (await fetch(`${platform.url}/${path}`, { method })).status;
  expect(await status(free.path)).toBe(404);
  expect(await status(`api/2.0/mlflow/runs/get?run_id=${free.runId}`)).toBe(404);
  expect(await status(needed.path)).toBe(200);
  expect(await status(live.path)).toBe(200);
  expect(await status(`api/v1/trash/runs/${needed.runId}`, 'DELETE')).toBe(412);
  expect(await status(`api/v1/trash/runs/${live.runId}`, 'DELETE')).toBe(400);
  await mlflow('POST', 'runs/delete', { run_id: live.runId });
  expect(await status(`api/v1/trash/runs/${live.runId}`, 'DELETE')).toBe(200);
  expect(await status(live.path)).toBe(404);

  const info = await platform.call('GET', 'api/3.0/mlflow/server-info');
  expect(info).toMatchObject({ multipart_uploads_enabled: false, multipart_downloads_enabled: false });
  const create = await fetch(`${platform.url}/api/2.0/mlflow-artifacts/mpu/create/x`, {
    method: 'POST',
    body: JSON.stringify({ path: 'f', num_parts: 2 }),
    headers: { 'content-type': 'application/json' },
  });
  expect([create.status, await create.json()]).toEqual([
    501,
    {
      error_code: 'NOT_IMPLEMENTED',
      message: expect.stringMatching(
        /^Multipart upload is not supported for the current artifact repository/,
      ) as string,
    },
  ]);
});
