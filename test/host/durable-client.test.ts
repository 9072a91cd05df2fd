import '../support/durable/apps.ts';
import { EntityId, OrchestrationRuntimeStatus } from 'durable-functions';
import { HttpRequest } from '@azure/functions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHarness, systemKey, waitForStatus, type DurableHarness } from '../support/durable/harness.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { passTurns } from '../support/turns.ts';
import { until } from '../support/until.ts';

let h: DurableHarness;

beforeAll(async () => {
  h = await startHarness();
});

afterAll(() => h.dispose());

const base = '/runtime/webhooks/durabletask';

async function call(
  method: string,
  path: string,
  options: {
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly key?: string | null;
  } = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const url = new URL(`${h.origin}${base}/${path}`);
  const key = options.key === undefined ? systemKey : options.key;
  if (key !== null) url.searchParams.set('code', key);
  const response = await fetch(url, {
    method,
    ...(options.body === undefined ? {} : { body: options.body }),
    headers: { 'content-type': 'application/json', ...options.headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function startWaiting(): Promise<string> {
  const id = await h.client.startNew('twoEvents');
  await waitForStatus(h.client, id, ['Running']);
  return id;
}

async function startFinished(input: unknown = 1): Promise<string> {
  const id = await h.client.startNew('echoThrough', { input });
  await waitForStatus(h.client, id);
  return id;
}

describe("the SDK's own client", () => {
  test('startNew and getStatus', async () => {
    const startedAt = Date.now();
    const id = await startFinished({ a: [1] });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const status = await h.client.getStatus(id, { showInput: true });
    expect(status).toMatchObject({
      name: 'echoThrough',
      instanceId: id,
      runtimeStatus: 'Completed',
      input: { a: [1] },
      output: { a: [1] },
      customStatus: null,
    });
    // The wire has whole seconds.
    expect(status.createdTime.getTime()).toBeGreaterThan(startedAt - 1_000);
    expect(status.createdTime.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('getStatus of an unknown instance', async () => {
    await expect(h.client.getStatus('nobody')).rejects.toThrow('HTTP 404');
  });

  test('startNew of an unknown function names the known ones', async () => {
    await expect(h.client.startNew('nothing')).rejects.toThrow(
      "The function 'nothing' doesn't exist, is disabled, or is not an orchestrator function. Additional info: " +
        "The following are the known orchestrator functions: 'chain'",
    );
  });

  test('the id of a running instance is refused; that of an ended one is reused', async () => {
    const instanceId = await startWaiting();
    await expect(h.client.startNew('echoThrough', { instanceId })).rejects.toThrow(
      'An Orchestration instance with the status Running already exists.',
    );
    await h.client.terminate(instanceId, 'over');
    await waitForStatus(h.client, instanceId);
    await h.client.startNew('echoThrough', { instanceId, input: 'again' });
    expect(await waitForStatus(h.client, instanceId, ['Completed'])).toMatchObject({ output: 'again' });
  });

  test('raiseEvent: delivered, unknown instance, ended instance', async () => {
    const id = await startWaiting();
    await h.client.raiseEvent(id, 'one', 1);
    await h.client.raiseEvent(id, 'two', { b: 2 });
    expect(await waitForStatus(h.client, id)).toMatchObject({ output: [1, { b: 2 }] });
    await expect(h.client.raiseEvent('nobody', 'one', 1)).rejects.toThrow(
      "No instance with ID 'nobody' found",
    );
    await expect(h.client.raiseEvent(id, 'one', 1)).resolves.toBeUndefined();
    expect((await call('POST', `instances/${id}/raiseEvent/one`, { body: '1' })).status).toBe(410);
  });

  test('terminate keeps the reason, and late results are dropped', async () => {
    const id = await h.client.startNew('echoThrough', { input: 'x' });
    const slow = await h.client.startNew('fanOut', { input: 200 });
    await h.client.terminate(slow, 'no longer wanted');
    expect(await waitForStatus(h.client, slow)).toMatchObject({
      runtimeStatus: 'Terminated',
      output: 'no longer wanted',
    });
    await waitForStatus(h.client, id);
    await until(() => h.db.prepare('SELECT count(*) AS n FROM df_activities').get()?.['n'] === 0);
    expect(h.db.prepare('SELECT count(*) AS n FROM df_inbox').get()).toEqual({ n: 0 });
    expect((await call('POST', `instances/${slow}/terminate?reason=x`)).status).toBe(410);
  });

  test('a suspended instance receives nothing until it resumes, and then everything', async () => {
    const id = await startWaiting();
    await h.client.suspend(id, 'wait');
    await waitForStatus(h.client, id, ['Suspended']);
    await h.client.raiseEvent(id, 'one', 1);
    await h.client.raiseEvent(id, 'two', 2);
    await passTurns();
    expect((await h.client.getStatus(id)).runtimeStatus).toBe('Suspended');
    await h.client.resume(id, 'go on');
    expect(await waitForStatus(h.client, id)).toMatchObject({ runtimeStatus: 'Completed', output: [1, 2] });
  });

  test('purgeInstanceHistory: once, only once, and not while it runs', async () => {
    const id = await startFinished();
    expect(await h.client.purgeInstanceHistory(id)).toEqual({ instancesDeleted: 1 });
    expect(await h.client.purgeInstanceHistory(id)).toEqual({ instancesDeleted: 0 });
    const running = await startWaiting();
    await expect(h.client.purgeInstanceHistory(running)).rejects.toThrow('412');
    await h.client.terminate(running, 'over');
  });

  test('waitForCompletionOrCreateCheckStatusResponse: the output, or the status URLs', async () => {
    const request = new HttpRequest({ method: 'GET', url: `${h.origin}/api/x` });
    const options = { timeoutInMilliseconds: 60, retryIntervalInMilliseconds: 10 };
    const done = await h.client.waitForCompletionOrCreateCheckStatusResponse(
      request,
      await startFinished('out'),
      options,
    );
    expect([done.status, await done.json()]).toEqual([200, 'out']);
    const id = await startWaiting();
    const pending = await h.client.waitForCompletionOrCreateCheckStatusResponse(request, id, options);
    expect(pending.status).toBe(202);
    const links = (await pending.json()) as Record<string, string>;
    expect(links['id']).toBe(id);
    const status = await fetch(links['statusQueryGetUri'] ?? '');
    expect([status.status, ((await status.json()) as { runtimeStatus: string }).runtimeStatus]).toEqual([
      202,
      'Running',
    ]);
    const stop = await fetch((links['terminatePostUri'] ?? '').replace('{text}', 'by%20link'), {
      method: 'POST',
    });
    expect(stop.status).toBe(202);
    expect(await waitForStatus(h.client, id)).toMatchObject({ output: 'by link' });
  });

  test('entities: signalEntity, readEntityState, deletion, signals between entities', async () => {
    const id = new EntityId('Counter', 'client');
    expect(await h.client.readEntityState(id)).toEqual({ entityExists: false, entityState: undefined });
    await h.client.signalEntity(id, 'add', 4);
    await h.client.signalEntity(id, 'add', 5);
    await until(async () => (await h.client.readEntityState(id)).entityState === 9);
    await h.client.signalEntity(id, 'forward');
    const other = new EntityId('counter', 'other');
    await until(async () => (await h.client.readEntityState(other)).entityState === 9);
    await h.client.signalEntity(id, 'delete');
    await until(async () => !(await h.client.readEntityState(id)).entityExists);
    await expect(h.client.signalEntity(new EntityId('nothing', 'x'), 'add')).rejects.toThrow(
      "The function 'nothing' doesn't exist, is disabled, or is not an entity function.",
    );
  });
});

describe('lists and filters', () => {
  let own: DurableHarness;
  beforeAll(async () => {
    own = await startHarness();
  });
  afterAll(() => own.dispose());

  test('getStatusBy follows every page; filters by status, time and prefix; purge by filter', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 130; n++) {
      const instanceId = `run-${String(n).padStart(3, '0')}`;
      ids.push(await own.client.startNew('echoThrough', { instanceId, input: n }));
    }
    await own.client.startNew('uncaught', { instanceId: 'failing' });
    await own.client.startNew('twoEvents', { instanceId: 'waiting' });
    await until(async () => {
      const done = await own.client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Completed] });
      return done.length === 130;
    });
    await waitForStatus(own.client, 'failing');
    expect((await own.client.getStatusAll()).map(({ instanceId }) => instanceId)).toEqual([
      'failing',
      ...ids,
      'waiting',
    ]);
    const failed = await own.client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Failed] });
    expect(failed.map(({ instanceId }) => instanceId)).toEqual(['failing']);
    const future = new Date(Date.now() + 3_600_000);
    expect(await own.client.getStatusBy({ createdTimeFrom: future })).toEqual([]);
    const query = (path: string): Promise<Response> =>
      fetch(`${own.origin}${base}/${path}&code=${encodeURIComponent(systemKey)}`);
    const page = await query('instances?instanceIdPrefix=run-00&top=4&showInput=true');
    const rows = (await page.json()) as { instanceId: string; input: number }[];
    expect(rows.map(({ instanceId, input }) => [instanceId, input])).toEqual(
      [0, 1, 2, 3].map((n) => [`run-00${n}`, n]),
    );
    expect(page.headers.get('x-ms-continuation-token')).not.toBeNull();

    const past = new Date(Date.now() - 3_600_000);
    const completed = { createdTimeFrom: past, runtimeStatus: [OrchestrationRuntimeStatus.Completed] };
    expect(await own.client.purgeInstanceHistoryBy(completed)).toEqual({ instancesDeleted: 130 });
    expect(await own.client.purgeInstanceHistoryBy({ createdTimeFrom: past })).toEqual({
      instancesDeleted: 1,
    });
    expect(await own.client.purgeInstanceHistoryBy({ createdTimeFrom: past })).toEqual({
      instancesDeleted: 0,
    });
    expect((await own.client.getStatusAll()).map(({ instanceId }) => instanceId)).toEqual(['waiting']);
  });
});

describe('the HTTP management API', () => {
  test('start: 202 with the check-status payload', async () => {
    const { status, headers, body } = await call('POST', 'orchestrators/echoThrough/by%20http', {
      body: '{"a":1}',
    });
    expect(status).toBe(202);
    expect(headers.get('retry-after')).toBe('10');
    const links = body as Record<string, string>;
    expect(headers.get('location')).toBe(links['statusQueryGetUri']);
    expect(links['statusQueryGetUri']).toBe(
      `${h.origin}${base}/instances/by%20http?taskHub=TestHub&connection=Storage&code=test%20key%2F1`,
    );
    expect(await waitForStatus(h.client, 'by%20http')).toMatchObject({ input: { a: 1 } });
  });

  test('start and wait: 200 with the output', async () => {
    const path = `orchestrators/echoThrough?timeout=${patienceMs / 1_000}&pollingInterval=1`;
    expect(await call('POST', path, { body: '[7]' })).toMatchObject({ status: 200, body: [7] });
  });

  test('start and wait: 202 after the timeout', async () => {
    expect((await call('POST', 'orchestrators/twoEvents?timeout=0.05&pollingInterval=0.01')).status).toBe(
      202,
    );
  });

  test('status: history on request, outputs on request, 500 on failure on request', async () => {
    const id = await startFinished('seen');
    const plain = (await call('GET', `instances/${id}?showInput=false`)).body as Record<string, unknown>;
    expect(plain).toMatchObject({ input: null, output: 'seen' });
    expect(plain).not.toHaveProperty('historyEvents');
    expect(plain['createdTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const shown = (await call('GET', `instances/${id}?showHistory=true&showHistoryOutput=true`)).body;
    const timed = { Timestamp: expect.any(String) as string };
    expect((shown as { historyEvents: unknown[] }).historyEvents).toEqual([
      { EventType: 'ExecutionStarted', ...timed, FunctionName: 'echoThrough' },
      {
        EventType: 'TaskCompleted',
        ...timed,
        ScheduledTime: expect.any(String) as string,
        FunctionName: 'echo',
        Result: 'seen',
      },
      { EventType: 'ExecutionCompleted', ...timed, OrchestrationStatus: 'Completed', Result: 'seen' },
    ]);
    const failing = await h.client.startNew('uncaught');
    await waitForStatus(h.client, failing);
    expect((await call('GET', `instances/${failing}`)).status).toBe(200);
    expect((await call('GET', `instances/${failing}?returnInternalServerErrorOnFailure=true`)).status).toBe(
      500,
    );
  });

  test.each([
    ['GET', 'instances/nobody', 404],
    ['DELETE', 'instances/nobody', 404],
    ['POST', 'instances/nobody/terminate', 404],
    ['POST', 'instances/nobody/suspend', 404],
    ['POST', 'instances/nobody/resume', 404],
    ['POST', 'instances/nobody/raiseEvent/x', 404],
    ['POST', 'instances/nobody/rewind', 501],
    ['POST', 'instances/nobody/restart', 501],
    ['GET', 'orchestrators/chain', 404],
    ['DELETE', 'instances', 400],
    ['POST', 'orchestrators/nothing', 400],
    ['GET', 'entities/nothing/x', 400],
    ['GET', 'entities/counter/none', 404],
    ['PUT', 'entities/counter/none', 404],
    ['GET', 'elsewhere', 404],
    ['GET', 'instances/%E0%A4%A', 400],
    ['GET', 'instances/nobody?taskHub=Another', 404],
  ])('%s %s: %i', async (method, path, status) => {
    expect((await call(method, path)).status).toBe(status);
  });

  test('malformed JSON is refused', async () => {
    expect(await call('POST', 'orchestrators/chain', { body: '{"a":' })).toMatchObject({
      status: 400,
      body: { Message: 'Invalid JSON content' },
    });
    const id = await startWaiting();
    expect((await call('POST', `instances/${id}/raiseEvent/one`, { body: '{' })).status).toBe(400);
    const headers = { 'content-type': 'text/plain' };
    expect(await call('POST', `instances/${id}/raiseEvent/one`, { body: '1', headers })).toMatchObject({
      status: 400,
      body: { Message: 'Only application/json request content is supported' },
    });
    expect((await call('POST', 'entities/counter/x?op=add', { body: '{' })).status).toBe(400);
    await h.client.terminate(id, 'over');
  });

  test('without the key: 401, also under a wrong RPC path', async () => {
    expect((await call('GET', 'instances', { key: null })).status).toBe(401);
    expect((await call('GET', 'instances', { key: 'wrong' })).status).toBe(401);
    expect((await call('GET', `rpc/${'0'.repeat(32)}/instances`, { key: null })).status).toBe(401);
    const headers = { 'x-functions-key': systemKey };
    expect((await call('GET', 'instances', { key: null, headers })).status).toBe(200);
  });

  test('entities are listed with their states on request', async () => {
    await h.client.signalEntity(new EntityId('counter', 'listed'), 'add', 3);
    await until(async () => (await h.client.readEntityState(new EntityId('counter', 'listed'))).entityExists);
    const { body } = await call('GET', 'entities/counter?fetchState=true');
    expect(body).toContainEqual({
      entityId: { name: 'counter', key: 'listed' },
      lastOperationTime: expect.any(String) as string,
      state: 3,
    });
    expect((await call('GET', 'entities/nothingOfThisName')).body).toEqual([]);
  });
});
