import * as fc from 'fast-check';
import { expect } from 'vitest';
import { isAppError, type ErrorCode } from '../../shared/core/errors.ts';
import type { JsonValue } from '../../shared/core/json/json.ts';
import type {
  MessageQueue,
  OutgoingMessage,
  QueueSource,
  ReceivedMessage,
  ReceiveOptions,
} from '../../shared/platform/storage/queue.ts';
import { patienceMs } from '../support/hang-guard.ts';

/** One store with its entities, empty. */
export interface QueueFixture {
  /** A client of the store. */
  readonly queue: MessageQueue;
  /** One more client of the same store. */
  openAnother(): Promise<MessageQueue>;
  readonly names: {
    readonly queue: string;
    readonly topic: string;
    readonly subscriptions: [string, string];
  };
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
  /** The time of the store's clock. */
  now(): number;
  /** Advances the store's clock. */
  passTime(ms: number): Promise<void>;
  /** Resolves once the store waits on behalf of a pending receive. */
  untilWaiting(): Promise<void>;
  /** Closes every client and removes the store. */
  dispose(): Promise<void>;
}

export interface QueueHarness {
  readonly name: string;
  /** Why the suite cannot run here. */
  readonly skip?: string;
  /** The number of runs of the property: fewer over a network. */
  readonly propertyRuns: number;
  open(): Promise<QueueFixture>;
}

/** The clients of a fixture, closed together. */
export function keepClients(open: () => MessageQueue) {
  const clients: MessageQueue[] = [];
  return {
    openAnother: async () => {
      const client = open();
      clients.push(client);
      return client;
    },
    closeClients: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

export async function expectOne(queue: MessageQueue, source: QueueSource): Promise<ReceivedMessage> {
  const received = await queue.receive(source, { maxMessages: 1, waitMs: patienceMs });
  expect(received).toHaveLength(1);
  return received[0]!;
}

/** How a call ended: the code of its error, or `none`. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | 'none'> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === 'fulfilled') return 'none';
  if (isAppError(result.reason)) return result.reason.code;
  throw result.reason;
}

export function numbered(from: number, to: number): OutgoingMessage[] {
  return Array.from({ length: to - from }, (_, i) => ({ id: `m-${from + i}`, body: String(from + i) }));
}

/** JSON has no -0, so no message here may contain it. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const text = (minLength: number, maxLength: number) =>
  fc.string({ unit: 'binary', minLength, maxLength }).filter((value) => value.length <= maxLength);

export const messageArbitrary = fc.record({
  id: text(1, 60),
  body: json,
  subject: text(0, 50),
  properties: fc.dictionary(
    text(1, 20).filter((name) => name !== '__proto__'),
    fc.oneof(
      text(0, 50),
      fc.boolean(),
      fc.maxSafeInteger().map((value) => value + 0),
      fc.double({ noNaN: true, min: -1e15, max: 1e15 }).filter((value) => !Object.is(value, -0)),
    ),
    { maxKeys: 6, noNullPrototype: true },
  ),
});

export const invalidMessages: readonly OutgoingMessage[] = [
  { id: '', body: 1 },
  { id: 'x'.repeat(129), body: 1 },
  { id: 'lone \ud800', body: 1 },
  { id: 'a', body: Number.NaN },
  { id: 'a', body: { deep: [Infinity] } },
  { id: 'a', body: undefined as unknown as JsonValue },
  { id: 'a', body: 1, properties: { '': 1 } },
  { id: 'a', body: 1, properties: { n: Number.NaN } },
  { id: 'a', body: 1, properties: { n: 2 ** 60 } },
  { id: 'a', body: 1, properties: { n: {} as unknown as string } },
  { id: 'a', body: 1, scheduledFor: Number.NaN },
  { id: 'a', body: 1, scheduledFor: -1 },
];

export const invalidReceives: readonly ReceiveOptions[] = [
  { maxMessages: 0, waitMs: 0 },
  { maxMessages: 101, waitMs: 0 },
  { maxMessages: 1.5, waitMs: 0 },
  { maxMessages: 1, waitMs: -1 },
  { maxMessages: 1, waitMs: Number.NaN },
  { maxMessages: 1, waitMs: 3_600_001 },
];
