import { expect, test } from 'vitest';
import { silentLogger } from '../../../shared/core/logger.ts';
import { lostAtTag } from '../../../shared/domains/tracking/runs/changes.ts';
import { maxSilenceTag } from '../../../shared/domains/tracking/runs/lost-runs.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

const by = 'me';
const minute = 60_000;

function createClock() {
  let now = 1_800_000_000_000;
  return {
    now: () => now,
    sleep: async () => {},
    advance: (minutes: number) => void (now += minutes * minute),
  };
}

function open(store = createDocuments()) {
  const clock = createClock();
  const tracking = openTracking(store, { clock, runSilenceMinutes: 60 });
  const start = (tags: Record<string, string> = {}) =>
    tracking.runs.create({ tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }, by);
  return { ...tracking, clock, start, sweep: () => tracking.lostRuns.sweep(silentLogger) };
}

test.each(metadataStores)('$name: kills silent runs, and no others', async (store) => {
  const { runs, clock, start, sweep } = open(await store.open());
  const startedAt = clock.now();
  const dead = await start();
  const slow = await start();
  const done = await start();
  const patient = await start({ [maxSilenceTag]: '500' });
  const hasty = await start({ [maxSilenceTag]: '5' });
  await runs.update(done.info.runId, { status: 'FINISHED', endTime: clock.now() }, by);
  clock.advance(59);
  expect(await sweep()).toBe(1);
  expect((await runs.get(hasty.info.runId)).info.status).toBe('KILLED');
  await runs.logMetric(slow.info.runId, { key: 'm', value: 1, timestamp: 1, step: 1 }, by);
  clock.advance(3);
  expect(await sweep()).toBe(1);
  expect(await sweep()).toBe(0);
  const lost = await runs.get(dead.info.runId);
  expect(lost.info).toMatchObject({ status: 'KILLED', endTime: startedAt });
  expect(lost.tags.get(lostAtTag)).toBe(new Date(clock.now()).toISOString());
  for (const run of [slow, patient]) expect((await runs.get(run.info.runId)).info.status).toBe('RUNNING');
  expect((await runs.get(done.info.runId)).info.status).toBe('FINISHED');
});

test('revives a killed run that logs again', async () => {
  const { runs, clock, start, sweep } = open();
  const { info } = await start();
  clock.advance(100);
  await sweep();
  // An edited note is not a sign of life.
  await runs.setTag(info.runId, { key: 'note', value: 'what happened here?' }, 'somebody');
  expect((await runs.get(info.runId)).info.status).toBe('KILLED');
  await runs.logMetric(info.runId, { key: 'm', value: 1, timestamp: 1, step: 1 }, by);
  const alive = await runs.get(info.runId);
  expect(alive.info).toMatchObject({ status: 'RUNNING', lastWriteAt: clock.now() });
  expect(alive.info.endTime).toBeUndefined();
  expect(alive.tags.has(lostAtTag)).toBe(false);
  expect(await sweep()).toBe(0);
});

test('keeps the end that a late client reports', async () => {
  const { runs, clock, start, sweep } = open();
  const { info } = await start();
  clock.advance(100);
  await sweep();
  await runs.update(info.runId, { status: 'FINISHED', endTime: 5 }, by);
  const run = await runs.get(info.runId);
  expect(run.info).toMatchObject({ status: 'FINISHED', endTime: 5 });
  expect(run.tags.has(lostAtTag)).toBe(false);
});

test('does not revive a run that its user killed', async () => {
  const { runs, start } = open();
  const { info } = await start();
  await runs.update(info.runId, { status: 'KILLED', endTime: 5 }, by);
  await runs.logMetric(info.runId, { key: 'm', value: 1, timestamp: 1, step: 1 }, by);
  expect((await runs.get(info.runId)).info.status).toBe('KILLED');
});

test('a sweep does not count as a sign of life', async () => {
  const { runs, clock, start, sweep } = open();
  const { info } = await start();
  for (let sweeps = 0; sweeps < 12; sweeps += 1) {
    clock.advance(5);
    expect(await sweep()).toBe(0);
  }
  clock.advance(5);
  expect(await sweep()).toBe(1);
  expect((await runs.get(info.runId)).info.status).toBe('KILLED');
});

test('a write between the search and the kill saves the run', async () => {
  const store = createDocuments();
  const { clock, ...first } = open(store);
  const { info } = await first.start();
  clock.advance(100);
  const found = await store.list({
    container: 'tracking',
    sort: { path: ['running', 'lastWriteAt'], direction: 'asc' },
    limit: 10,
  });
  await first.runs.logMetric(info.runId, { key: 'm', value: 1, timestamp: 1, step: 1 }, by);
  const stale = Object.assign(Object.create(store) as typeof store, {
    list: async () => found,
    get: store.get.bind(store),
    batch: store.batch.bind(store),
  });
  const second = openTracking(stale, { clock, runSilenceMinutes: 60 });
  expect(await second.lostRuns.sweep(silentLogger)).toBe(0);
  expect((await first.runs.get(info.runId)).info.status).toBe('RUNNING');
});
