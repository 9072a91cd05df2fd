import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import {
  openSqliteQueue,
  type SqliteQueueDeps,
  type SqliteQueueOptions,
} from '../../../shared/adapters/embedded/sqlite-queue.ts';
import { codeOf } from '../../contract/queue-fixture.ts';
import { patienceMs } from '../../support/hang-guard.ts';

const lockDurationMs = 1000;
const source = { queue: 'work' };
const dead = { queue: 'work', deadLetter: true };
const now = { maxMessages: 100, waitMs: 0 };

let directory: string;
let file: string;
let time: number;
const opened: { close(): Promise<void> }[] = [];

/** Moves only when a test moves it. */
const manualClock: Clock = {
  now: () => time,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'queue-sqlite-'));
  file = join(directory, 'local.db');
  time = 1_000_000;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()));
  await rm(directory, { recursive: true, force: true });
});

function open({ clock = manualClock, ...options }: Partial<SqliteQueueDeps & SqliteQueueOptions> = {}) {
  const queue = openSqliteQueue(
    { clock, ids: systemIds },
    {
      file,
      topology: { queues: ['work'], topics: { events: ['left'] } },
      lockDurationMs,
      maxDeliveryCount: 3,
      ...options,
    },
  );
  opened.push(queue);
  return queue;
}

const message = (id: string) => ({ id, body: id });
const ids = (messages: readonly { readonly id: string }[]) => messages.map(({ id }) => id);

describe('SQLite queue: time', () => {
  it('a lock holds until the exact millisecond of its expiry', async () => {
    const queue = open();
    await queue.send('work', [message('a')]);
    const [first] = await queue.receive(source, now);
    expect(first?.lockedUntil).toBe(1_001_000);
    time = 1_000_999;
    expect(await queue.receive(source, now)).toEqual([]);
    expect(await queue.renewLock(first!)).toBe(1_001_999);
    time = 1_001_999;
    expect(await codeOf(queue.complete(first!))).toBe('PRECONDITION_FAILED');
    expect((await queue.receive(source, now))[0]).toMatchObject({ id: 'a', deliveryCount: 2 });
  });

  it('dead-letters a message after too many expired locks, with Service Bus’s reason', async () => {
    const queue = open();
    await queue.send('work', [message('a')]);
    for (let count = 1; count <= 3; count++) {
      expect(await queue.receive(source, now)).toHaveLength(1);
      time += lockDurationMs;
    }
    expect(await queue.receive(source, now)).toEqual([]);
    expect((await queue.receive(dead, now))[0]).toMatchObject({
      id: 'a',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterDescription: 'Message could not be consumed after 3 delivery attempts.',
    });
  });

  it('wakes a receiver of dead letters when the last lock expires', async () => {
    const queue = open({ maxDeliveryCount: 1 });
    await queue.send('work', [message('a')]);
    await queue.receive(source, now);
    const waiting = queue.receive(dead, { maxMessages: 1, waitMs: 60_000 });
    time += lockDurationMs;
    expect(ids(await waiting)).toEqual(['a']);
  });

  it('orders a scheduled message by its arrival', async () => {
    const queue = open();
    await queue.send('work', [{ ...message('scheduled'), scheduledFor: time + 500 }, message('first')]);
    time += 499;
    await queue.send('work', [message('second')]);
    expect(ids(await queue.receive(source, { maxMessages: 1, waitMs: 0 }))).toEqual(['first']);
    time += 1;
    const rest = await queue.receive(source, now);
    expect(ids(rest)).toEqual(['second', 'scheduled']);
    expect(rest[1]).toMatchObject({ enqueuedAt: 1_000_500, deliveryCount: 1 });
    expect(rest[1]!.sequenceNumber).toBeGreaterThan(rest[0]!.sequenceNumber);
  });
});

describe('SQLite queue: waiting', () => {
  it('notices a send of the same process at once, without polling', async () => {
    const receiver = open({ clock: systemClock, pollMs: 3_600_000 });
    // The first look and the start of the wait are synchronous.
    const waiting = receiver.receive(source, { maxMessages: 1, waitMs: patienceMs });
    await open({ clock: systemClock }).send('work', [message('a')]);
    expect(ids(await waiting)).toEqual(['a']);
  });

  it('notices a send of another process by polling', async () => {
    const receiver = open({ clock: systemClock });
    const waiting = receiver.receive(source, { maxMessages: 1, waitMs: patienceMs });
    const worker = join(import.meta.dirname, '../../support/queue/crash-worker.ts');
    const child = spawn(process.execPath, [worker, 'send', file, 'other'], { stdio: 'ignore' });
    const [received] = await waiting;
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(received?.id).toBe('other.0.a');
  });

  it('writes nothing to an idle queue', async () => {
    const queue = open({ clock: systemClock, pollMs: 5 });
    using observer = new DatabaseSync(file);
    const version = () => observer.prepare('PRAGMA data_version').get();
    const before = version();
    expect(await queue.receive(source, { maxMessages: 1, waitMs: 200 })).toEqual([]);
    expect(version()).toEqual(before);
  });
});

describe('SQLite queue: topology', () => {
  it('is stored in the file, with its settings', async () => {
    await open({ lockDurationMs: 7, maxDeliveryCount: 1 }).close();
    const queue = openSqliteQueue({ clock: manualClock, ids: systemIds }, { file });
    opened.push(queue);
    await queue.send('WORK', [message('a')]);
    const [received] = await queue.receive({ queue: 'Work' }, now);
    expect(received?.lockedUntil).toBe(time + 7);
    await queue.abandon(received!);
    expect(ids(await queue.receive(dead, now))).toEqual(['a']);
  });

  it('changes only the settings when declared again', async () => {
    const queue = open();
    await queue.send('events', [message('a')]);
    await queue.declare({ queues: ['work'], topics: { events: ['left', 'right'] } }, { lockDurationMs: 5 });
    await queue.send('events', [message('b')]);
    expect(await queue.counts()).toEqual([
      { entity: 'events/Subscriptions/left', active: 2, scheduled: 0, dead: 0 },
      { entity: 'events/Subscriptions/right', active: 1, scheduled: 0, dead: 0 },
      { entity: 'work', active: 0, scheduled: 0, dead: 0 },
    ]);
    const [received] = await queue.receive({ topic: 'events', subscription: 'right' }, now);
    expect(received).toMatchObject({ id: 'b', lockedUntil: time + 5 });
  });

  it('refuses invalid and conflicting names, and then declares nothing', async () => {
    const queue = open();
    expect(await codeOf(queue.declare({ queues: ['fresh', 'events'] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(queue.declare({ topics: { work: [] } }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(queue.declare({ queues: ['no spaces'] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(queue.declare({ queues: ['a/Subscriptions/b'] }))).toBe('INVALID_ARGUMENT');
    expect((await queue.counts()).map(({ entity }) => entity)).toEqual(['events/Subscriptions/left', 'work']);
  });

  it('a topic without subscriptions discards messages', async () => {
    const queue = open();
    await queue.declare({ topics: { lonely: [] } });
    await queue.send('lonely', [message('a')]);
    expect((await queue.counts()).every(({ active }) => active === 0)).toBe(true);
  });
});

describe('SQLite queue: for operators', () => {
  it('counts, lists and resends dead letters', async () => {
    const queue = open();
    await queue.send('work', [message('a'), message('b'), { ...message('c'), scheduledFor: time + 1 }]);
    const [a] = await queue.receive(source, { maxMessages: 1, waitMs: 0 });
    await queue.deadLetter(a!, 'INVALID_ARGUMENT', 'no such column');
    expect(await queue.counts()).toContainEqual({ entity: 'work', active: 1, scheduled: 1, dead: 1 });
    const [letter] = await queue.peekDeadLetters(source, 10);
    expect(letter).toEqual({
      id: 'a',
      body: 'a',
      properties: {},
      deliveryCount: 1,
      enqueuedAt: 1_000_000,
      sequenceNumber: a!.sequenceNumber,
      source: dead,
      deadLetterReason: 'INVALID_ARGUMENT',
      deadLetterDescription: 'no such column',
    });
    const sequenceNumber = letter!.sequenceNumber;
    const [held] = await queue.receive(dead, now);
    expect(await codeOf(queue.resubmitDeadLetter(source, sequenceNumber))).toBe('PRECONDITION_FAILED');
    await queue.abandon(held!);
    await queue.resubmitDeadLetter(source, sequenceNumber);
    expect(await codeOf(queue.resubmitDeadLetter(source, sequenceNumber))).toBe('NOT_FOUND');
    const again = await queue.receive(source, now);
    expect(ids(again)).toEqual(['b', 'a']);
    expect(again[1]).toMatchObject({ deliveryCount: 1 });
    expect(again[1]).not.toHaveProperty('deadLetterReason');
    expect(await queue.peekDeadLetters(source, 10)).toEqual([]);
    expect(await codeOf(queue.peekDeadLetters({ queue: 'none' }, 1))).toBe('NOT_FOUND');
  });

  it('releases the locks of a dead process at the next start', async () => {
    const before = open();
    await before.send('work', [message('a')]);
    const [held] = await before.receive(source, now);
    const after = open();
    await after.releaseLocks();
    expect((await after.receive(source, now))[0]).toMatchObject({ id: 'a', deliveryCount: 2 });
    expect(await codeOf(before.complete(held!))).toBe('PRECONDITION_FAILED');
  });

  it('never reuses a sequence number, even in a new process', async () => {
    const queue = open();
    await queue.send('work', [message('a')]);
    const [a] = await queue.receive(source, now);
    await queue.complete(a!);
    await queue.close();
    const later = open();
    await later.send('work', [message('b')]);
    expect((await later.receive(source, now))[0]!.sequenceNumber).toBeGreaterThan(a!.sequenceNumber);
  });
});

describe('SQLite queue: trouble', () => {
  it('refuses a send entirely on a full disk, keeps stored messages, and recovers when there is space', async () => {
    const queue = open({ maxSizeBytes: 600_000 });
    const filler = { id: 'filler', body: 'x'.repeat(90_000) };
    let stored = 0;
    let code = await codeOf(queue.send('work', [filler]));
    for (; code === 'none' && stored < 100; stored++) code = await codeOf(queue.send('work', [filler]));
    expect(code).toBe('INSUFFICIENT_STORAGE');
    expect(await codeOf(queue.send('work', [message('small'), filler, filler]))).toBe('INSUFFICIENT_STORAGE');
    const messages = await queue.receive(source, now);
    expect(ids(messages)).toEqual(Array.from({ length: stored }, () => 'filler'));
    for (const each of messages) await queue.complete(each);
    await queue.send('work', [filler]);
    expect(ids(await queue.receive(source, now))).toEqual(['filler']);
  });

  it('is UNAVAILABLE for a file that is not a database or cannot be created', async () => {
    await writeFile(file, 'not a database, but long enough to look into'.repeat(100));
    expect(() => open()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(() => open({ file: join(directory, 'no', 'such', 'folder.db') })).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE' }),
    );
  });

  it('is UNAVAILABLE under a transaction that never ends, and continues to read', async () => {
    const queue = open({ busyTimeoutMs: 50 });
    await queue.send('work', [message('a')]);
    using hog = new DatabaseSync(file);
    hog.exec('BEGIN IMMEDIATE');
    expect(await codeOf(queue.send('work', [message('b')]))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.receive(source, now))).toBe('UNAVAILABLE');
    await queue.ping();
    hog.exec('COMMIT');
    await queue.send('work', [message('b')]);
    expect(ids(await queue.receive(source, now))).toEqual(['a', 'b']);
  });

  it('lets several processes create the same file concurrently', async () => {
    const module = join(import.meta.dirname, '../../../shared/adapters/embedded/sqlite-queue.ts');
    const program = `
      const { openSqliteQueue } = await import(${JSON.stringify(module)});
      openSqliteQueue({}, { file: ${JSON.stringify(file)}, topology: { queues: ['work'] } });`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    const exits = await Promise.all(children.map((child) => once(child, 'close')));
    expect(exits.map(([code]) => code as number)).toEqual(children.map(() => 0));
  });
});
