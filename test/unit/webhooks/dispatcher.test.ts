import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../../shared/platform/audit/event.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { AppError, retryIntent } from '../../../shared/core/errors.ts';
import { type LogFields, type Logger, silentLogger } from '../../../shared/core/logger.ts';
import { openSqliteQueue } from '../../../shared/adapters/embedded/sqlite-queue.ts';
import type { QueueSource } from '../../../shared/platform/storage/queue.ts';
import { WebhookDispatcher } from '../../../shared/domains/webhooks/dispatcher.ts';
import { Deliveries } from '../../../shared/domains/webhooks/deliveries.ts';
import type { WebhookEventName } from '../../../shared/domains/webhooks/events.ts';
import { createSecretBox } from '../../../shared/domains/webhooks/secret-box.ts';
import type { Sender, SendOutcome } from '../../../shared/domains/webhooks/sending/send.ts';
import { Webhooks } from '../../../shared/domains/webhooks/webhooks.ts';
import { createDocuments, createFolder, system } from '../../support/stores.ts';
import { passTurns } from '../../support/turns.ts';

const topic: QueueSource = { topic: 'events', subscription: 'webhooks' };
const queueSource: QueueSource = { queue: 'webhooks' };
const url = 'https://example.com/very-secret-path';
const secret = 'very-secret-secret';
const ok: SendOutcome = { kind: 'answered', status: 200, body: '' };
const busy: SendOutcome = { kind: 'answered', status: 503, body: '' };

interface Sent {
  readonly deliveryId: string;
  readonly at: number;
  readonly body: { readonly data: unknown; readonly entity: string; readonly action: string };
}

/** A dispatcher with a real store and queue, a clock that only the test moves, and scripted receivers. */
function setUp(answer: (count: number) => SendOutcome | Promise<SendOutcome> = () => ok) {
  const state = { now: 1_000_000, storeFails: undefined as Error | undefined, isPrompt: false };
  const sent: Sent[] = [];
  const logged: LogFields[] = [];
  const logger: Logger = { log: (level, message, fields) => void logged.push({ level, message, ...fields }) };
  const clock = { ...system.clock, now: () => state.now };
  const real = createDocuments();
  const store = new Proxy(real, {
    get: (target, name: keyof typeof real) => {
      if (state.storeFails) throw state.storeFails;
      return target[name].bind(target);
    },
  });
  const queue = openSqliteQueue(
    { clock, ids: system.ids },
    {
      file: join(createFolder(), 'queue.db'),
      topology: { queues: ['webhooks'], topics: { events: ['webhooks'] } },
    },
  );
  onTestFinished(() => queue.close());
  const outbox = new Outbox({ store: real, queue, clock, logger: silentLogger });
  const audited = new AuditedWriter({ store: real, outbox, clock, ids: system.ids });
  const webhooks = new Webhooks(
    { store, audited, secrets: createSecretBox([Buffer.alloc(32, 7)]), clock, ids: system.ids },
    { targets: 'public' },
  );
  const deliveries = new Deliveries({ store, clock, ids: system.ids });
  const sender: Sender = {
    send: async (_url, headers, body) => {
      const deliveryId = headers['X-MLflow-Delivery-Id'] ?? '';
      sent.push({ deliveryId, at: state.now, body: JSON.parse(body) as Sent['body'] });
      return answer(sent.length);
    },
  };
  const dispatcher = new WebhookDispatcher(
    {
      store,
      queue,
      webhooks,
      deliveries,
      sender,
      clock,
      ids: { ...system.ids, random: () => 0.5 },
      isPrompt: async () => state.isPrompt,
    },
    { maxAttempts: 4, timeoutMs: 1_000 },
  );
  const refused: AppError[] = [];
  /** Receives as the host does, and collects final failures. @returns whether there was a message */
  const work = async (source: QueueSource, copies = 1): Promise<boolean> => {
    const [message] = await queue.receive(source, { maxMessages: 1, waitMs: 0 });
    if (message === undefined) return false;
    const all = Array.from({ length: copies }, () => dispatcher.handle(message.body, logger));
    for (const outcome of await Promise.allSettled(all)) {
      if (outcome.status === 'fulfilled') continue;
      if (retryIntent(outcome.reason) !== 'never') throw outcome.reason;
      refused.push(outcome.reason);
    }
    await queue.complete(message);
    return true;
  };
  /** Works and lets a quarter of an hour pass. */
  const settle = async (): Promise<void> => {
    for (const end = state.now + 900_000; state.now < end; state.now += 1_000)
      while ((await work(topic)) || (await work(queueSource)));
  };
  const commit = (entry: Partial<AuditEntry> = {}) =>
    audited.commit('registry', 'm', [], [{ ...created, ...entry }]);
  const hook = (events: readonly WebhookEventName[] = ['registered_model.created']) =>
    webhooks.create({ name: 'hook', url, events, secret }, 'ada');
  return {
    state,
    sent,
    logged,
    refused,
    webhooks,
    deliveries,
    dispatcher,
    queue,
    work,
    settle,
    commit,
    hook,
  };
}

const created: AuditEntry = {
  by: 'ada',
  action: 'model.created',
  subject: { kind: 'model', model: 'm' },
  before: null,
  after: { description: 'd', tags: { a: 'b' } },
};

test('delivers an event to subscribed webhooks only', async () => {
  const { sent, settle, commit, hook, webhooks, deliveries } = setUp();
  const one = await hook();
  await hook(['registered_model.created', 'prompt.created']);
  await hook(['model_version.created']);
  const idle = await hook();
  await webhooks.update(idle.webhookId, { status: 'DISABLED' }, 'ada');
  await commit();
  await settle();
  expect(sent.map(({ body }) => body)).toEqual(
    Array.from({ length: 2 }, () => ({
      entity: 'registered_model',
      action: 'created',
      timestamp: '1970-01-01T00:16:40.000+00:00',
      data: { name: 'm', description: 'd', tags: { a: 'b' } },
    })),
  );
  expect(new Set(sent.map(({ deliveryId }) => deliveryId)).size).toBe(2);
  const { items } = await deliveries.list(one.webhookId, { limit: 10 });
  expect(items).toMatchObject([{ status: 'delivered', attempts: [{ attempt: 1, status: 200 }] }]);
});

test('delivers at the third attempt under the same id', async () => {
  const { sent, settle, commit, hook, deliveries, refused } = setUp((count) => (count < 3 ? busy : ok));
  const { webhookId } = await hook();
  await commit();
  await settle();
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map(({ deliveryId }) => deliveryId)).size).toBe(1);
  const [first, second, third] = sent.map(({ at }) => at);
  expect(second! - first!).toBeGreaterThanOrEqual(1_000);
  expect(third! - second!).toBeGreaterThanOrEqual(4_000);
  expect(third! - first!).toBeLessThan(10_000);
  const { items } = await deliveries.list(webhookId, { limit: 10 });
  expect(items).toMatchObject([
    { status: 'delivered', attempts: [{ status: 503 }, { status: 503 }, { attempt: 3, status: 200 }] },
  ]);
  expect(refused).toEqual([]);
});

test('gives up after the last attempt, with the reason and without the URL', async () => {
  const { sent, settle, commit, hook, deliveries, refused, logged } = setUp(() => busy);
  const { webhookId } = await hook();
  await commit();
  await settle();
  expect(sent).toHaveLength(4);
  expect(refused).toMatchObject([
    {
      code: 'UNPROCESSABLE',
      message: 'The webhook was not delivered: the receiver answered 503, after 4 attempts.',
    },
  ]);
  expect((await deliveries.list(webhookId, { limit: 10 })).items).toMatchObject([{ status: 'refused' }]);
  expect(JSON.stringify([logged, refused, sent])).not.toMatch(/very-secret/);
});

test('delivers an event once that is announced twice', async () => {
  const { sent, settle, work, commit, hook, queue } = setUp();
  await hook();
  await commit();
  const [message] = await queue.receive(topic, { maxMessages: 1, waitMs: 0 });
  await queue.abandon(message!);
  await queue.send('events', [{ id: message!.id, body: message!.body }]);
  await work(topic, 2);
  await settle();
  expect(sent).toHaveLength(1);
});

test('sends once when several workers receive the same message', async () => {
  const { sent, settle, work, commit, hook } = setUp(async () => {
    await passTurns();
    return ok;
  });
  await hook();
  await commit();
  await work(topic);
  await work(queueSource, 5);
  await settle();
  expect(sent).toHaveLength(1);
});

test('sends again under the same id after the sender died', async () => {
  const { sent, settle, work, commit, hook, state } = setUp((count) =>
    count === 1 ? new Promise<SendOutcome>(() => {}) : ok,
  );
  await hook();
  await commit();
  await work(topic);
  void work(queueSource);
  await expect.poll(() => sent.length).toBe(1);
  // The lock expires, as after the death of the process.
  state.now += 60_001;
  await settle();
  expect(sent).toHaveLength(2);
  expect(new Set(sent.map(({ deliveryId }) => deliveryId)).size).toBe(1);
});

test('keeps events in the queue during an outage of the store', async () => {
  const { sent, work, settle, commit, hook, state, refused } = setUp();
  await hook();
  await commit();
  state.storeFails = new AppError('UNAVAILABLE', 'The store is down.');
  for (let second = 0; second < 3_600; second += 1, state.now += 1_000)
    while ((await work(topic)) || (await work(queueSource)));
  expect(sent).toEqual([]);
  state.storeFails = undefined;
  await settle();
  expect(sent).toHaveLength(1);
  expect(refused).toEqual([]);
});

test('postpones a defect twice and then refuses it', async () => {
  const { dispatcher, work, hook, commit, state, queue } = setUp();
  await hook();
  await commit();
  state.storeFails = new TypeError('a defect');
  await work(topic);
  const postponed = [];
  for (let second = 0; second < 60; second += 1, state.now += 1_000) {
    const [message] = await queue.receive(queueSource, { maxMessages: 1, waitMs: 0 });
    if (message === undefined) continue;
    const outcome = await dispatcher.handle(message.body, silentLogger).catch((error: unknown) => error);
    postponed.push(outcome);
    await queue.complete(message);
  }
  expect(postponed).toEqual([undefined, state.storeFails]);
});

test('postpones no shorter than the retryAfterMs of the store', async () => {
  const { work, hook, commit, state, sent } = setUp();
  await hook();
  await commit();
  state.storeFails = new AppError('RATE_LIMITED', 'Busy.', { retryAfterMs: 60_000 });
  await work(topic);
  state.storeFails = undefined;
  state.now += 59_000;
  expect(await work(queueSource)).toBe(false);
  state.now += 1_000;
  while (await work(queueSource));
  expect(sent).toHaveLength(1);
});

test('sends nothing more to a disabled or deleted webhook', async () => {
  const { sent, settle, work, commit, hook, webhooks } = setUp(() => busy);
  const one = await hook();
  const two = await hook();
  await commit();
  await work(topic);
  await work(queueSource);
  await work(queueSource);
  expect(sent).toHaveLength(2);
  await webhooks.update(one.webhookId, { status: 'DISABLED' }, 'ada');
  await webhooks.delete(two.webhookId, 'ada');
  await settle();
  expect(sent).toHaveLength(2);
});

test('sends no events from before the creation of a webhook', async () => {
  const { sent, settle, commit, hook, state } = setUp();
  await commit();
  state.now += 120_000;
  await hook();
  await settle();
  expect(sent).toEqual([]);
});

test('names events of prompts as MLflow does', async () => {
  const { sent, settle, commit, hook, state } = setUp();
  await hook([
    'registered_model.created',
    'prompt.created',
    'prompt_version.created',
    'prompt_alias.created',
  ]);
  const tags = { 'mlflow.prompt.is_prompt': 'true', a: 'b' };
  await commit({ after: { description: '', tags } });
  await commit({
    action: 'modelVersion.created',
    subject: { kind: 'modelVersion', model: 'm', version: 1 },
    after: {
      source: 'x',
      runId: null,
      description: null,
      tags: { ...tags, 'mlflow.prompt.text': 'Hi {{you}}' },
    },
  });
  state.isPrompt = true;
  await commit({
    action: 'alias.moved',
    subject: { kind: 'alias', model: 'm', alias: 'a' },
    after: { version: 1 },
  });
  await settle();
  expect(sent.map(({ body: { entity, data } }) => [entity, data])).toEqual([
    ['prompt', { name: 'm', tags: { a: 'b' }, description: '' }],
    [
      'prompt_version',
      { name: 'm', version: '1', template: 'Hi {{you}}', tags: { a: 'b' }, description: null },
    ],
    ['prompt_alias', { name: 'm', alias: 'a', version: '1' }],
  ]);
});

test.each<[WebhookEventName, Partial<AuditEntry>, unknown]>([
  [
    'model_version.created',
    {
      action: 'modelVersion.created',
      subject: { kind: 'modelVersion', model: 'm', version: 12 },
      after: { source: 's3://b/p', runId: 'r', description: 'd', tags: { a: 'b' }, stage: 'None' },
    },
    { name: 'm', version: '12', source: 's3://b/p', run_id: 'r', description: 'd', tags: { a: 'b' } },
  ],
  [
    'model_version_tag.set',
    {
      action: 'modelVersion.tagSet',
      subject: { kind: 'modelVersion', model: 'm', version: 1 },
      before: { tags: { constructor: null } },
      after: { tags: { constructor: 'v' } },
    },
    { name: 'm', version: '1', key: 'constructor', value: 'v' },
  ],
  [
    'model_version_tag.deleted',
    {
      action: 'modelVersion.tagDeleted',
      subject: { kind: 'modelVersion', model: 'm', version: 1 },
      before: { tags: { k: 'v' } },
      after: { tags: { k: null } },
    },
    { name: 'm', version: '1', key: 'k' },
  ],
  [
    'model_version_alias.created',
    {
      action: 'alias.moved',
      subject: { kind: 'alias', model: 'm', alias: 'a' },
      before: { version: 1 },
      after: { version: 2 },
    },
    { name: 'm', alias: 'a', version: '2' },
  ],
  [
    'model_version_alias.deleted',
    {
      action: 'alias.deleted',
      subject: { kind: 'alias', model: 'm', alias: 'a' },
      before: { version: 2 },
      after: null,
    },
    { name: 'm', alias: 'a' },
  ],
])('%s has the payload that MLflow documents', async (event, entry, data) => {
  const { sent, settle, commit, hook } = setUp();
  await hook([event]);
  await commit(entry);
  await settle();
  expect(sent.map(({ body }) => body.data)).toEqual([data]);
});

test.each([{}, { type: 'audit.event' }, 7, null])('refuses the malformed message %j', async (body) => {
  const { dispatcher } = setUp();
  await expect(dispatcher.handle(body, silentLogger)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('ignores other messages of the topic', async () => {
  const { dispatcher, sent } = setUp();
  await dispatcher.handle({ type: 'dataset.version.created', dataset: 'd', version: 1 }, silentLogger);
  expect(sent).toEqual([]);
});
