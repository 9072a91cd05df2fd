import type { JsonValue } from '../../core/json/json.ts';

/**
 * Queues, and topics whose subscriptions each get a copy. Adapters: Service Bus in Azure, an SQLite file locally.
 * Delivery is at least once, under a lock (peek-lock): a message that is not settled is redelivered when its lock
 * expires, with `deliveryCount` increased, and moves to the dead-letter sub-queue after `maxDeliveryCount` deliveries.
 *
 * Errors: INVALID_ARGUMENT, NOT_FOUND (no such queue, topic or subscription), PAYLOAD_TOO_LARGE (over 256 KB),
 * PRECONDITION_FAILED (the lock was lost), RATE_LIMITED, UNAVAILABLE, TIMEOUT, INSUFFICIENT_STORAGE.
 */
export interface MessageQueue {
  /** Stores all messages or none. `destination` names a queue or a topic. */
  send(destination: string, messages: readonly OutgoingMessage[]): Promise<void>;
  /** @returns up to `maxMessages` as soon as there is one; empty after `waitMs`, or when the queue is closed */
  receive(source: QueueSource, options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  /**
   * Removes a message. Settle it through the client that received it: another may not know its lock.
   *
   * @throws PRECONDITION_FAILED when the lock was lost
   */
  complete(message: ReceivedMessage): Promise<void>;
  /** Returns a message to the queue at once. */
  abandon(message: ReceivedMessage): Promise<void>;
  deadLetter(message: ReceivedMessage, reason: string, description: string): Promise<void>;
  /** @returns when the new lock expires, in milliseconds since the Unix epoch */
  renewLock(message: ReceivedMessage): Promise<number>;
  /** A cheap request for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type QueueSource =
  | { readonly queue: string; readonly deadLetter?: boolean }
  | { readonly topic: string; readonly subscription: string; readonly deadLetter?: boolean };

export interface OutgoingMessage {
  /** 1–128 characters. Deterministic where the sender can be retried, so that consumers can deduplicate. */
  readonly id: string;
  readonly body: JsonValue;
  readonly subject?: string;
  readonly correlationId?: string;
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** The earliest delivery, in milliseconds since the Unix epoch. */
  readonly scheduledFor?: number;
}

export interface ReceivedMessage {
  readonly id: string;
  readonly body: JsonValue;
  readonly subject?: string;
  readonly correlationId?: string;
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** 1 at the first delivery. */
  readonly deliveryCount: number;
  readonly enqueuedAt: number;
  readonly lockedUntil: number;
  readonly source: QueueSource;
  /** Opaque; identifies the lock. */
  readonly lockToken: string;
  readonly deadLetterReason?: string;
  readonly deadLetterDescription?: string;
}

export interface ReceiveOptions {
  /** 1–100. */
  readonly maxMessages: number;
  readonly waitMs: number;
}
