import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditLog, type AuditQuery } from '../../../shared/platform/audit/audit-log.ts';
import {
  type AuditEvent,
  auditOperation,
  type AuditSubject,
  toAuditEvent,
} from '../../../shared/platform/audit/event.ts';
import { sealPositions } from '../../../shared/platform/audit/merged-page.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createDocuments, metadataStores, system } from '../../support/stores.ts';

const subjects: readonly { readonly place: readonly [string, string]; readonly subject: AuditSubject }[] = [
  { place: ['tracking', '1'], subject: { kind: 'experiment', experimentId: '1' } },
  { place: ['tracking', '1'], subject: { kind: 'run', experimentId: '1', runId: 'r1' } },
  { place: ['tracking', '2'], subject: { kind: 'run', experimentId: '2', runId: 'r2' } },
  { place: ['registry', 'm'], subject: { kind: 'model', model: 'm' } },
  { place: ['registry', 'm'], subject: { kind: 'alias', model: 'm', alias: 'champion' } },
  { place: ['registry', 'n'], subject: { kind: 'modelVersion', model: 'n', version: 3 } },
  { place: ['webhooks', 'w'], subject: { kind: 'webhook', webhookId: 'w' } },
];

/** Writes events of few times, so that many share a millisecond. */
async function fill(store: MetadataStore, choices: readonly number[]): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (const [index, choice] of choices.entries()) {
    const { place, subject } = subjects[choice % subjects.length]!;
    const clock = { ...system.clock, now: () => 1_000 + (choice % 5) };
    const entry = { by: choice % 2 ? 'ada' : 'bob', action: `${subject.kind}.changed`, subject };
    const event = toAuditEvent({ ...entry, before: null, after: { index } }, { ...system, clock }, index);
    await store.batch(...place, [
      auditOperation(event),
      // Unrelated events must not appear.
      { kind: 'upsert', id: 'head', body: { kind: 'model', event: { eventId: 'zzz' } } },
    ]);
    events.push(event);
  }
  return events.sort((a, b) => (a.eventId < b.eventId ? 1 : -1));
}

async function readAll(log: AuditLog, query: AuditQuery, limit: number) {
  const read: AuditEvent[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await log.list(query, cursor === undefined ? { limit } : { limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    read.push(...page.items);
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined && pages < 1_000);
  return read;
}

/** A plain evaluation of the query. */
function isAsked({ subject, by, action, at }: AuditEvent, query: AuditQuery): boolean {
  const members = new Map<string, unknown>(Object.entries(subject));
  const { from = 0, to = Infinity, ...rest } = query;
  if (at < from || at >= to) return false;
  if (rest.by !== undefined && rest.by !== by) return false;
  if (rest.action !== undefined && rest.action !== action) return false;
  return (['kind', 'experimentId', 'runId', 'model', 'webhookId'] as const).every(
    (name) => rest[name] === undefined || members.get(name) === rest[name],
  );
}

const queries: readonly AuditQuery[] = [
  {},
  { kind: 'run' },
  { kind: 'model', model: 'm' },
  { model: 'm' },
  { experimentId: '1' },
  { runId: 'r2' },
  { experimentId: '1', runId: 'r2' },
  { webhookId: 'w' },
  { webhookId: 'w', kind: 'run' },
  { by: 'ada' },
  { action: 'alias.changed' },
  { by: 'bob', from: 1_001, to: 1_004 },
];

describe.each(metadataStores)('the audit log on $name', ({ name, open }) => {
  test('lists every matching event once, newest first, for any page size', async () => {
    const store = await open();
    const choices = fc.sample(fc.nat(1_000), { numRuns: name === 'SQLite' ? 150 : 40, seed: 7 });
    const events = await fill(store, choices);
    const log = new AuditLog(store);
    for (const query of queries)
      for (const limit of name === 'SQLite' ? [1, 3, 1_000] : [7])
        expect(await readAll(log, query, limit), JSON.stringify({ query, limit })).toEqual(
          events.filter((event) => isAsked(event, query)),
        );
  });
});

test('new events do not shift pages', async () => {
  const store = createDocuments();
  const log = new AuditLog(store);
  const before = await fill(store, [0, 1, 3, 4, 5, 6]);
  const first = await log.list({}, { limit: 2 });
  const later = { ...system, clock: { ...system.clock, now: () => 9_000 } };
  const event = toAuditEvent(
    { by: 'eve', action: 'model.changed', subject: { kind: 'model', model: 'm' }, before: null, after: null },
    later,
  );
  await store.batch('registry', 'm', [auditOperation(event)]);
  const rest: AuditEvent[] = [];
  for (let { cursor } = first; cursor !== undefined;) {
    const page = await log.list({}, { limit: 2, cursor });
    rest.push(...page.items);
    cursor = page.cursor;
  }
  expect([...first.items, ...rest]).toEqual(before);
});

test('short or empty pages of the store lose nothing', async () => {
  const store = createDocuments();
  const events = await fill(store, fc.sample(fc.nat(1_000), { numRuns: 60, seed: 3 }));
  let reads = 0;
  const stingy: MetadataStore = Object.assign(Object.create(store) as MetadataStore, {
    list: async ({ cursor = '0|', ...query }: Parameters<MetadataStore['list']>[0]) => {
      reads += 1;
      // Six empty pages precede each document.
      const [empties = '', inner = ''] = cursor.split('|');
      if (Number(empties) < 6) return { documents: [], cursor: `${Number(empties) + 1}|${inner}` };
      const page = await store.list({ ...query, limit: 1, ...(inner === '' ? {} : { cursor: inner }) });
      return page.cursor === undefined ? page : { ...page, cursor: `0|${page.cursor}` };
    },
  });
  await new AuditLog(stingy).list({}, { limit: 50 });
  expect(reads).toBe(20);
  for (const limit of [1, 4, 50]) expect(await readAll(new AuditLog(stingy), {}, limit)).toEqual(events);
});

test.each(['garbage', Buffer.from('{"of":"x","at":[{}]}').toString('base64url')])(
  'refuses the cursor %j',
  async (cursor) => {
    const log = new AuditLog(createDocuments());
    await expect(log.list({}, { limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  },
);

test('refuses the cursor of another query', async () => {
  const store = createDocuments();
  await fill(store, [0, 1, 2, 3, 4, 5, 6]);
  const log = new AuditLog(store);
  const { cursor } = await log.list({}, { limit: 1 });
  await expect(log.list({ by: 'ada' }, { limit: 1, cursor: cursor! })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

test('refuses a cursor for another number of sources', async () => {
  const cursor = sealPositions([{}, {}], {});
  const log = new AuditLog(createDocuments());
  await expect(log.list({}, { limit: 2, cursor })).rejects.toThrow('Invalid cursor');
});
