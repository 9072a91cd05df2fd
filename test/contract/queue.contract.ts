import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../shared/core/json/json.ts';
import type { MessageQueue, OutgoingMessage, QueueSource } from '../../shared/platform/storage/queue.ts';
import { patienceMs } from '../support/hang-guard.ts';
import {
  codeOf,
  expectOne,
  invalidMessages,
  invalidReceives,
  messageArbitrary,
  numbered,
  type QueueFixture,
  type QueueHarness,
} from './queue-fixture.ts';

/**
 * The contract of every `MessageQueue` adapter. Locks expire only when a test waits for it: where the store's clock can
 * be moved, let them last longer than the suite.
 */
export function describeQueueContract(harness: QueueHarness): void {
  const title = harness.skip === undefined ? harness.name : `${harness.name} (skipped: ${harness.skip})`;
  describe.skipIf(harness.skip !== undefined)(`MessageQueue: ${title}`, () => {
    let fixture: QueueFixture;
    let queue: MessageQueue;
    let source: QueueSource;
    let name: string;

    beforeEach(async () => {
      fixture = await harness.open();
      queue = fixture.queue;
      name = fixture.names.queue;
      source = { queue: name };
    });
    afterEach(() => fixture.dispose());

    const receiveOne = (from: QueueSource = source, by = queue) => expectOne(by, from);
    const takeOne = async (from: QueueSource = source) => {
      const message = await receiveOne(from);
      await queue.complete(message);
      return message;
    };
    const peek = (from: QueueSource = source) => queue.receive(from, { maxMessages: 100, waitMs: 0 });

    describe('messages', () => {
      it('arrive unchanged', async () => {
        const before = fixture.now();
        const message: OutgoingMessage = {
          id: 'run-7/train',
          body: {
            path: 'landing/vols—été/日本語.parquet',
            rows: [1, 2.5, null, true, '🛫'],
            nested: { a: {} },
          },
          subject: 'dataset.version.created',
          correlationId: 'c-1',
          properties: {
            text: 'naïve ☃',
            count: 42,
            ratio: -0.25,
            negative: -7,
            large: 2 ** 52,
            yes: true,
            empty: '',
          },
        };
        await queue.send(name, [message]);
        const received = await receiveOne();
        expect(received).toMatchObject({ ...message, deliveryCount: 1, source });
        expect(received.properties).toEqual(message.properties);
        expect(received.lockToken).not.toBe('');
        expect(received.deadLetterReason).toBeUndefined();
        // A minute of slack for the clock of a real namespace.
        expect(Math.abs(received.enqueuedAt - before)).toBeLessThan(60_000);
        expect(received.lockedUntil).toBeGreaterThan(received.enqueuedAt);
        await queue.complete(received);
        expect(await peek()).toEqual([]);
      });

      it('need only an id and a body', async () => {
        await queue.send(name, [{ id: 'a', body: null }]);
        const received = await receiveOne();
        expect([received.body, received.properties]).toEqual([null, {}]);
        expect('subject' in received || 'correlationId' in received).toBe(false);
      });

      it('round-trip any JSON', async () => {
        await fc.assert(
          fc.asyncProperty(messageArbitrary, async (message) => {
            await queue.send(name, [message]);
            const received = await receiveOne();
            await queue.complete(received);
            expect(received).toMatchObject({ id: message.id, body: message.body, subject: message.subject });
            expect(received.properties).toEqual(message.properties);
          }),
          { numRuns: harness.propertyRuns },
        );
      });

      it('may hold 200 KB of text beyond the BMP', async () => {
        const body = '🛬ß'.repeat(Math.floor(200_000 / 6));
        await queue.send(name, [{ id: 'big', body }]);
        expect((await receiveOne()).body).toBe(body);
      });

      it('arrive in the order of sending, within and across sends', async () => {
        await queue.send(name, numbered(0, 20));
        for (let i = 20; i < 30; i++) await queue.send(name, numbered(i, i + 1));
        const bodies: JsonValue[] = [];
        while (bodies.length < 30) {
          const batch = await queue.receive(source, { maxMessages: 7, waitMs: patienceMs });
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(7);
          for (const message of batch) {
            bodies.push(message.body);
            await queue.complete(message);
          }
        }
        expect(bodies).toEqual(numbered(0, 30).map(({ body }) => body));
      });

      it('with the same id are all delivered: deduplication is up to the consumer', async () => {
        await queue.send(name, [{ id: 'same', body: 1 }]);
        await queue.send(name, [{ id: 'same', body: 2 }]);
        expect([(await receiveOne()).body, (await receiveOne()).body]).toEqual([1, 2]);
      });
    });

    describe('receive', () => {
      it('returns no messages at the end of the wait, and not before', async () => {
        const before = fixture.now();
        expect(await queue.receive(source, { maxMessages: 10, waitMs: 300 })).toEqual([]);
        expect(fixture.now() - before).toBeGreaterThanOrEqual(295);
      });

      it('wakes for a message that another client sends later', async () => {
        const waiting = queue.receive(source, { maxMessages: 10, waitMs: patienceMs });
        await fixture.untilWaiting();
        await (await fixture.openAnother()).send(name, [{ id: 'late', body: 'here' }]);
        expect((await waiting).map(({ id }) => id)).toEqual(['late']);
      });

      it('does not wait for a full batch', async () => {
        await queue.send(name, numbered(0, 2));
        // Longer than the test may run.
        expect(await queue.receive(source, { maxMessages: 50, waitMs: 3_600_000 })).toHaveLength(2);
      });

      it('delivers a message to one of many racing receivers', async () => {
        const total = 120;
        const clients = [queue, await fixture.openAnother(), await fixture.openAnother()];
        for (let i = 0; i < total; i += 20) await queue.send(name, numbered(i, i + 20));
        const seen: JsonValue[] = [];
        const drain = async (client: MessageQueue) => {
          while (seen.length < total) {
            const batch = await client.receive(source, { maxMessages: 3, waitMs: 300 });
            for (const message of batch) {
              seen.push(message.body);
              await client.complete(message);
            }
          }
        };
        await Promise.all([...clients, ...clients].map(drain));
        expect(seen).toHaveLength(total);
        expect(new Set(seen).size).toBe(total);
        expect(await peek()).toEqual([]);
      });

      it('refuses invalid numbers', async () => {
        for (const options of invalidReceives)
          expect(await codeOf(queue.receive(source, options))).toBe('INVALID_ARGUMENT');
      });
    });

    describe('the lock', () => {
      it('hides a message until it expires; then the message is redelivered with a higher count', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const first = await receiveOne();
        expect(await peek()).toEqual([]);
        await fixture.passTime(fixture.lockDurationMs);
        const second = await expectOne(await fixture.openAnother(), source);
        expect(fixture.now()).toBeGreaterThanOrEqual(first.lockedUntil - 50);
        expect(second).toMatchObject({ id: 'a', body: 1, deliveryCount: 2 });
        expect(second.lockToken).not.toBe(first.lockToken);
      });

      it('allows no operation once it is lost', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const lost = await receiveOne();
        await fixture.passTime(fixture.lockDurationMs + 100);
        const held = await receiveOne();
        expect(await codeOf(queue.renewLock(lost))).toBe('PRECONDITION_FAILED');
        expect(await codeOf(queue.complete(lost))).toBe('PRECONDITION_FAILED');
        expect(await codeOf(queue.abandon(lost))).toBe('PRECONDITION_FAILED');
        expect(await codeOf(queue.deadLetter(lost, 'late', 'too late'))).toBe('PRECONDITION_FAILED');
        await queue.complete(held);
        expect(await peek()).toEqual([]);
        expect(await peek({ ...source, deadLetter: true })).toEqual([]);
      });

      it('allows one settlement', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const message = await receiveOne();
        await queue.complete(message);
        expect(await codeOf(queue.complete(message))).toBe('PRECONDITION_FAILED');
        expect(await codeOf(queue.abandon(message))).toBe('PRECONDITION_FAILED');
      });

      it('lets one of two concurrent settlements win', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const message = await receiveOne();
        const codes = await Promise.all([codeOf(queue.complete(message)), codeOf(queue.abandon(message))]);
        expect(codes).toEqual(['none', 'PRECONDITION_FAILED']);
        expect(await peek()).toEqual([]);
      });

      it('outlasts its first expiry after a renewal', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const message = await receiveOne();
        let lockedUntil = message.lockedUntil;
        for (let i = 0; i < 3; i++) {
          await fixture.passTime(fixture.lockDurationMs * 0.6);
          const renewed = await queue.renewLock(message);
          expect(renewed).toBeGreaterThan(lockedUntil);
          lockedUntil = renewed;
        }
        expect(await peek()).toEqual([]);
        await queue.complete(message);
        expect(await peek()).toEqual([]);
      });

      it('redelivers an abandoned message at once, with a higher count and in its original order', async () => {
        await queue.send(name, numbered(0, 3));
        const first = await receiveOne();
        await queue.abandon(first);
        expect(await receiveOne()).toMatchObject({ id: first.id, deliveryCount: 2 });
        expect(fixture.now()).toBeLessThan(first.lockedUntil);
      });

      it('of a closed client expires', async () => {
        const crashing = await fixture.openAnother();
        await queue.send(name, [{ id: 'a', body: 1 }]);
        await expectOne(crashing, source);
        await crashing.close();
        await fixture.passTime(fixture.lockDurationMs);
        expect(await receiveOne()).toMatchObject({ id: 'a' });
      });
    });

    describe('dead letters', () => {
      const dead = () => ({ ...source, deadLetter: true });

      it('are messages that exceeded the delivery count', async () => {
        await queue.send(name, [{ id: 'poison', body: { bad: true }, properties: { k: 'v' } }]);
        for (let count = 1; count <= fixture.maxDeliveryCount; count++) {
          const message = await receiveOne();
          expect(message.deliveryCount).toBe(count);
          await queue.abandon(message);
        }
        expect(await peek()).toEqual([]);
        const letter = await receiveOne(dead());
        expect(letter).toMatchObject({
          id: 'poison',
          body: { bad: true },
          deadLetterReason: 'MaxDeliveryCountExceeded',
          source: dead(),
        });
        expect(letter.properties).toEqual({ k: 'v' });
      });

      it('carry the reason and the description of an explicit dead-lettering', async () => {
        await queue.send(name, [{ id: 'a', body: 1, properties: { k: 1 } }]);
        await queue.deadLetter(await receiveOne(), 'INVALID_ARGUMENT', 'rows[3]: “origin” is missing');
        expect(await peek()).toEqual([]);
        const letter = await receiveOne(dead());
        expect(letter).toMatchObject({
          id: 'a',
          body: 1,
          deadLetterReason: 'INVALID_ARGUMENT',
          deadLetterDescription: 'rows[3]: “origin” is missing',
        });
        expect(letter.properties).toEqual({ k: 1 });
        expect(await codeOf(queue.deadLetter(letter, 'again', ''))).toBe('INVALID_ARGUMENT');
        await queue.abandon(letter);
        await queue.complete(await receiveOne(dead()));
        expect(await peek(dead())).toEqual([]);
      });

      it('wake a waiting receiver', async () => {
        await queue.send(name, [{ id: 'a', body: 1 }]);
        const message = await receiveOne();
        const waiting = queue.receive(dead(), { maxMessages: 1, waitMs: patienceMs });
        await fixture.untilWaiting();
        await queue.deadLetter(message, 'r', 'd');
        expect(await waiting).toHaveLength(1);
      });
    });

    describe('topics', () => {
      it('deliver a copy to every subscription', async () => {
        const { topic, subscriptions } = fixture.names;
        const left = { topic, subscription: subscriptions[0] };
        const right = { topic, subscription: subscriptions[1] };
        await queue.send(topic, numbered(0, 2));
        const copies = await queue.receive(left, { maxMessages: 1, waitMs: patienceMs });
        await queue.complete(copies[0]!);
        await queue.deadLetter(await receiveOne(left), 'r', 'd');
        expect(await peek(left)).toEqual([]);
        expect((await receiveOne({ ...left, deadLetter: true })).body).toBe('1');
        const others = [await receiveOne(right), await receiveOne(right)];
        expect(others.map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
          ['0', 1],
          ['1', 1],
        ]);
        expect(await peek({ ...right, deadLetter: true })).toEqual([]);
      });
    });

    describe('scheduled messages', () => {
      it('are not early, do not delay others, and arrive at their scheduled time', async () => {
        const scheduledFor = fixture.now() + fixture.lockDurationMs;
        await queue.send(name, [
          { id: 'later', body: 1, scheduledFor },
          { id: 'now', body: 2 },
          { id: 'past', body: 3, scheduledFor: fixture.now() - 60_000 },
        ]);
        expect((await takeOne()).id).toBe('now');
        expect((await takeOne()).id).toBe('past');
        expect(await peek()).toEqual([]);
        await fixture.passTime(fixture.lockDurationMs);
        const late = await takeOne();
        expect(fixture.now()).toBeGreaterThanOrEqual(scheduledFor);
        expect(late).toMatchObject({ id: 'later', deliveryCount: 1 });
        expect(late.enqueuedAt).toBeGreaterThanOrEqual(scheduledFor);
      });

      it('of one send each arrive at their own time', async () => {
        const start = fixture.now();
        await queue.send(name, [
          { id: 'second', body: 1, scheduledFor: start + 2 * fixture.lockDurationMs },
          { id: 'first', body: 2, scheduledFor: start + fixture.lockDurationMs },
        ]);
        await fixture.passTime(fixture.lockDurationMs);
        expect((await takeOne()).id).toBe('first');
        expect(await peek()).toEqual([]);
        await fixture.passTime(fixture.lockDurationMs);
        expect((await takeOne()).id).toBe('second');
        expect(fixture.now()).toBeGreaterThanOrEqual(start + 2 * fixture.lockDurationMs);
      });
    });

    describe('a send', () => {
      it('without messages does nothing', async () => {
        await queue.send(name, []);
        expect(await peek()).toEqual([]);
      });

      it('stores nothing if one message is invalid', async () => {
        const good = { id: 'good', body: 1 };
        for (const bad of invalidMessages)
          expect(await codeOf(queue.send(name, [good, bad, good]))).toBe('INVALID_ARGUMENT');
        expect(await peek()).toEqual([]);
      });

      it('over 256 KB is refused entirely', async () => {
        const tooBig = { id: 'big', body: 'x'.repeat(256 * 1024) };
        expect(await codeOf(queue.send(name, [tooBig]))).toBe('PAYLOAD_TOO_LARGE');
        const half = { id: 'half', body: 'ü'.repeat(70_000) };
        expect(await codeOf(queue.send(name, [{ id: 'small', body: 1 }, half, half]))).toBe(
          'PAYLOAD_TOO_LARGE',
        );
        expect(await peek()).toEqual([]);
        await queue.send(name, [half]);
        expect((await receiveOne()).id).toBe('half');
      });
    });

    it('reports a missing entity as NOT_FOUND', async () => {
      const { topic } = fixture.names;
      const options = { maxMessages: 1, waitMs: 0 };
      expect(await codeOf(queue.send('no-such-queue', [{ id: 'a', body: 1 }]))).toBe('NOT_FOUND');
      expect(await codeOf(queue.receive({ queue: 'no-such-queue' }, options))).toBe('NOT_FOUND');
      expect(await codeOf(queue.receive({ topic, subscription: 'no-such-sub' }, options))).toBe('NOT_FOUND');
      expect(await codeOf(queue.receive({ topic: 'no-such-topic', subscription: 'x' }, options))).toBe(
        'NOT_FOUND',
      );
    });

    it('answers pings until the client closes; then every call is UNAVAILABLE', async () => {
      await queue.ping();
      await queue.close();
      await queue.close();
      expect(await codeOf(queue.ping())).toBe('UNAVAILABLE');
      expect(await codeOf(queue.send(name, [{ id: 'a', body: 1 }]))).toBe('UNAVAILABLE');
      expect(await codeOf(queue.receive(source, { maxMessages: 1, waitMs: 0 }))).toBe('UNAVAILABLE');
    });

    it('ends a waiting receive when the client closes', async () => {
      const waiting = queue.receive(source, { maxMessages: 1, waitMs: patienceMs });
      await fixture.untilWaiting();
      await queue.close();
      expect(await waiting).toEqual([]);
    });
  });
}
