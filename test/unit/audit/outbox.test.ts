import { describe, expect, test } from 'vitest';
import { announcementSchema } from '../../../shared/platform/audit/announced-event.ts';
import { findEvent } from '../../../shared/platform/audit/audit-log.ts';
import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../../shared/platform/audit/event.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import { metadataStores, system } from '../../support/stores.ts';

const created: AuditEntry = {
  by: 'ada',
  action: 'model.created',
  subject: { kind: 'model', model: 'm' },
  before: null,
  after: { description: 'd', tags: {} },
};
const head = { kind: 'create', id: 'head', body: { kind: 'model' } } as const;

/** A writer with a queue that can be unavailable, and a clock that the test moves. */
function setUp(store: MetadataStore) {
  const sent: OutgoingMessage[] = [];
  const state = { isQueueDown: false, now: 1_000_000 };
  const queue = {
    send: async (destination: string, messages: readonly OutgoingMessage[]) => {
      if (state.isQueueDown) throw new AppError('UNAVAILABLE', 'The queue is down.');
      expect(destination).toBe('events');
      sent.push(...messages);
    },
  };
  const clock = { ...system.clock, now: () => state.now };
  const outbox = new Outbox({ store, queue, clock, logger: silentLogger });
  return { sent, state, outbox, writer: new AuditedWriter({ store, outbox, ...system, clock }) };
}

async function listIds(store: MetadataStore): Promise<readonly string[]> {
  const { documents } = await store.list({ container: 'registry', partition: 'm', limit: 100 });
  return documents.map(({ id }) => id.split('-')[0]!).sort();
}

describe.each(metadataStores)('a change with its event on $name', ({ open }) => {
  test('writes both, announces the event, and empties the outbox', async () => {
    const store = await open();
    const { sent, writer } = setUp(store);
    const { etags, events } = await writer.commit('registry', 'm', [head], [created]);
    expect(etags).toEqual([(await store.get({ container: 'registry', partition: 'm', id: 'head' }))?.etag]);
    expect(await listIds(store)).toEqual(['event', 'head']);
    expect(sent.map(({ id }) => id)).toEqual([events[0]?.eventId]);
    const place = announcementSchema.parse(sent[0]?.body);
    expect(await findEvent(store, place)).toEqual({ ...created, at: 1_000_000, eventId: events[0]?.eventId });
  });

  test('commits while the queue is unavailable; the sweep announces once', async () => {
    const store = await open();
    const { sent, state, outbox, writer } = setUp(store);
    state.isQueueDown = true;
    const { events } = await writer.commit('registry', 'm', [head], [created]);
    expect(await listIds(store)).toEqual(['event', 'head', 'outbox']);
    await expect(outbox.sweep('registry')).resolves.toBe(0);
    state.now += 15_000;
    await expect(outbox.sweep('registry')).rejects.toThrow('down');
    state.isQueueDown = false;
    await expect(outbox.sweep('registry')).resolves.toBe(1);
    await expect(outbox.sweep('registry')).resolves.toBe(0);
    expect(sent.map(({ id }) => id)).toEqual([events[0]?.eventId]);
    expect(await listIds(store)).toEqual(['event', 'head']);
  });

  test('leaves no event when it fails, and names the failed operation', async () => {
    const store = await open();
    const { sent, writer } = setUp(store);
    await writer.commit('registry', 'm', [head], []);
    await expect(writer.commit('registry', 'm', [head], [created])).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      details: { operation: 0 },
    });
    expect(await listIds(store)).toEqual(['head']);
    expect(sent).toEqual([]);
  });

  test('announces no events of runs', async () => {
    const store = await open();
    const { sent, writer } = setUp(store);
    const subject = { kind: 'run', experimentId: '7', runId: 'r' } as const;
    await writer.commit('tracking', '7', [head], [{ ...created, action: 'run.created', subject }]);
    expect(sent).toEqual([]);
  });
});

test('a sweep sends what many failures left behind', async () => {
  const store = await metadataStores[0]!.open();
  const { sent, state, outbox, writer } = setUp(store);
  state.isQueueDown = true;
  for (let count = 0; count < 250; count += 1)
    await writer.commit('registry', `m${count}`, [head], [created]);
  state.isQueueDown = false;
  state.now += 60_000;
  await expect(outbox.sweep('registry')).resolves.toBe(250);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(250);
});

test('a queue that does not answer delays a request only briefly', async () => {
  const store = await metadataStores[0]!.open();
  const outbox = new Outbox({
    store,
    queue: { send: () => new Promise<void>(() => {}) },
    clock: system.clock,
    logger: silentLogger,
  });
  const writer = new AuditedWriter({ store, outbox, ...system });
  await writer.commit('registry', 'm', [head], [created]);
  expect(await listIds(store)).toEqual(['event', 'head', 'outbox']);
});
