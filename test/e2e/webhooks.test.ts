import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { PlatformProcess } from '../../local/platform-process.ts';
import { AuditedWriter } from '../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../shared/platform/audit/outbox.ts';
import { AppError } from '../../shared/core/errors.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { openSqliteDocuments } from '../../shared/adapters/embedded/sqlite-documents.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import type { Delivery } from '../../shared/domains/webhooks/entities.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { startPlatform } from '../support/host/platform.ts';
import { type Received, startReceiver } from '../support/tracking/receiver.ts';
import { createFolder, system } from '../support/stores.ts';

const secret = 'very-secret-secret';
const env = { SLIPWAY_WEBHOOK_TIMEOUT_MS: '60000', SLIPWAY_WEBHOOK_ATTEMPTS: '3' };

async function call(
  platform: PlatformProcess,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${platform.url}/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer;
}

async function createWebhook(
  platform: PlatformProcess,
  url: string,
  ...events: [string, string][]
): Promise<string> {
  const { webhook } = (await call(platform, 'POST', 'api/2.0/mlflow/webhooks', {
    name: 'hook',
    url,
    secret,
    events: events.map(([entity, action]) => ({ entity, action })),
  })) as { webhook: { webhook_id: string } };
  return webhook.webhook_id;
}

const createModel = (platform: PlatformProcess, name: string) =>
  call(platform, 'POST', 'api/2.0/mlflow/registered-models/create', {
    name,
    tags: [{ key: 'a', value: 'b' }],
  });

async function listDeliveries(platform: PlatformProcess, webhookId: string): Promise<readonly Delivery[]> {
  const page = await call(platform, 'GET', `api/v1/webhooks/${webhookId}/deliveries`);
  return (page as { items: readonly Delivery[] }).items;
}

/** As if the host had been stopped an hour ago: at its start the timers are past due. */
function ageTimers(hostDb: string): void {
  using db = new DatabaseSync(hostDb);
  for (const column of ['last', 'next', 'last_updated'])
    db.exec(`UPDATE host_timers SET ${column} = ${column} - 3600000`);
}

/** Verifies as a receiver written for MLflow does. */
function isGenuine({ headers, body }: Received): boolean {
  const signed = `${String(headers['x-mlflow-delivery-id'])}.${String(headers['x-mlflow-timestamp'])}.${body}`;
  const expected = `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
  return headers['x-mlflow-signature'] === expected;
}

test('delivers signed registry events, also to a receiver that fails twice', async () => {
  const dataDir = join(createFolder(), 'data');
  const platform = await startPlatform({ dataDir, env });

  // It arrives, once.
  const good = await startReceiver();
  const goodId = await createWebhook(platform, good.url, ['REGISTERED_MODEL', 'CREATED']);
  await createModel(platform, 'one');
  await expect.poll(() => good.received.length).toBe(1);
  expect(isGenuine(good.received[0]!)).toBe(true);
  expect(JSON.parse(good.received[0]!.body)).toMatchObject({
    entity: 'registered_model',
    action: 'created',
    data: { name: 'one', tags: { a: 'b' }, description: '' },
  });
  await expect.poll(() => listDeliveries(platform, goodId)).toMatchObject([{ status: 'delivered' }]);

  // A receiver that fails twice gets it a third time, under the same id.
  const shaky = await startReceiver(
    ({ count, response }) => void response.writeHead(count < 3 ? 503 : 200).end(),
  );
  const shakyId = await createWebhook(platform, shaky.url, ['REGISTERED_MODEL', 'CREATED']);
  await createModel(platform, 'two');
  await expect.poll(() => good.received.length).toBe(2);
  await expect
    .poll(() => listDeliveries(platform, shakyId))
    .toMatchObject([{ status: 'delivered', attempts: [{ status: 503 }, { status: 503 }, { status: 200 }] }]);
  expect(new Set(shaky.received.map(({ headers }) => headers['x-mlflow-delivery-id'])).size).toBe(1);
  expect(shaky.received.every(isGenuine)).toBe(true);

  // No secret has leaked.
  await platform.stop();
  const key = readFileSync(join(dataDir, 'webhook.key'), 'utf8').trim();
  expect(statSync(join(dataDir, 'webhook.key')).mode & 0o777).toBe(0o600);
  for (const file of ['../data.log', 'metadata.db', 'host.db'])
    for (const hidden of [secret, key])
      expect(readFileSync(join(dataDir, file)).includes(hidden)).toBe(false);
});

test('abandons a receiver that never answers, without delaying others', async () => {
  const dataDir = join(createFolder(), 'data');
  const platform = await startPlatform({ dataDir, env: { ...env, SLIPWAY_WEBHOOK_TIMEOUT_MS: '200' } });
  const silent = await startReceiver(() => {});
  const silentId = await createWebhook(platform, silent.url, ['REGISTERED_MODEL', 'CREATED']);
  const good = await startReceiver();
  await createWebhook(platform, good.url, ['REGISTERED_MODEL', 'CREATED']);
  await createModel(platform, 'one');
  await expect.poll(() => good.received.length).toBeGreaterThan(0);
  await expect
    .poll(() => listDeliveries(platform, silentId))
    .toMatchObject([
      { status: 'refused', attempts: [{}, {}, { reason: expect.stringContaining('200 ms') as unknown }] },
    ]);
  const queue = openSqliteQueue({ ...system }, { file: join(dataDir, 'host.db') });
  const [refused] = await queue.receive({ queue: 'refused' }, { maxMessages: 10, waitMs: patienceMs });
  await queue.close();
  expect(refused?.body).toMatchObject({ by: 'webhooksDeliver', code: 'UNPROCESSABLE' });
});

test('delivers an event once after the process died between the change and the announcement', async () => {
  const dataDir = join(createFolder(), 'data');
  const receiver = await startReceiver();
  const first = await startPlatform({ dataDir, env });
  const webhookId = await createWebhook(first, receiver.url, ['MODEL_VERSION_ALIAS', 'CREATED']);
  await first.stop();
  // The registry's own steps up to the crash.
  const store = openSqliteDocuments({ ...system }, { file: join(dataDir, 'metadata.db') });
  const dead = { send: () => Promise.reject(new AppError('UNAVAILABLE', 'The process is dead.')) };
  // Old enough: the sweep skips events that may still be in flight.
  const clock = { ...system.clock, now: () => Date.now() - 60_000 };
  const outbox = new Outbox({ store, queue: dead, clock, logger: silentLogger });
  const { events } = await new AuditedWriter({ store, outbox, ...system, clock }).commit(
    'registry',
    'm',
    [],
    [
      {
        by: 'ada',
        action: 'alias.moved',
        subject: { kind: 'alias', model: 'm', alias: 'production' },
        before: null,
        after: { version: 3 },
      },
    ],
  );
  await store.close();
  ageTimers(join(dataDir, 'host.db'));
  const second = await startPlatform({ dataDir, env });
  await expect.poll(() => receiver.received.length, { interval: 100 }).toBe(1);
  expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({
    data: { name: 'm', alias: 'production', version: '3' },
  });
  expect(isGenuine(receiver.received[0]!)).toBe(true);
  const [event] = events;
  await expect
    .poll(() => listDeliveries(second, webhookId))
    .toMatchObject([{ status: 'delivered', eventId: event?.eventId }]);
  // The API lists it.
  await expect(call(second, 'GET', 'api/v1/audit?model=m')).resolves.toMatchObject({
    items: [{ by: 'ada' }],
  });
  await expect(call(second, 'GET', `api/v1/timeline?model=m&at=${event!.at}`)).resolves.toMatchObject({
    aliases: [{ alias: 'production', version: 3, since: event!.at, by: 'ada' }],
    endpoints: [{ endpoint: '/api/v1/models/m/score', version: 3 }],
  });
  await expect(
    call(second, 'GET', `api/v1/timeline?model=m&at=${new Date(event!.at - 1).toISOString()}`),
  ).resolves.toMatchObject({
    aliases: [],
    endpoints: [],
  });
});
