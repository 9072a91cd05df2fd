import type { JsonValue } from '../../core/json.ts';

/**
 * Events and work: queues, and topics whose subscriptions each get a copy. Adapters: Service Bus in Azure, the
 * embedded SQLite queue locally. Delivery is at least once, under a lock (peek-lock): a message that is neither
 * completed nor abandoned comes back when its lock ends, with `deliveryCount` one higher, and moves to the
 * dead-letter sub-queue after `maxDeliveryCount` deliveries.
 *
 * Errors: INVALID_ARGUMENT, NOT_FOUND (no such queue, topic or subscription), PAYLOAD_TOO_LARGE (over 256 KB),
 * PRECONDITION_FAILED (the lock was lost), RATE_LIMITED, UNAVAILABLE, TIMEOUT, INSUFFICIENT_STORAGE.
 */
export interface MessageQueue {
  /** All or none of the messages are stored. `destination` names a queue or a topic. */
  send(destination: string, messages: readonly OutgoingMessage[]): Promise<void>;
  /** @returns up to `maxMessages`, as soon as there is one; none once `waitMs` have passed, or when closed meanwhile. */
  receive(source: QueueSource, options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  /**
   * Settle a message through the client that received it: another may not know its lock.
   *
   * @throws PRECONDITION_FAILED once the lock is lost
   */
  complete(message: ReceivedMessage): Promise<void>;
  /** Back to the queue at once. */
  abandon(message: ReceivedMessage): Promise<void>;
  deadLetter(message: ReceivedMessage, reason: string, description: string): Promise<void>;
  /** @returns when the new lock ends, in milliseconds since the Unix epoch. */
  renewLock(message: ReceivedMessage): Promise<number>;
  /** Cheap proof of life for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type QueueSource =
  | { readonly queue: string; readonly deadLetter?: boolean }
  | { readonly topic: string; readonly subscription: string; readonly deadLetter?: boolean };

export interface OutgoingMessage {
  /** Deterministic where the sender can be retried: consumers drop what they have seen. 1–128 characters. */
  readonly id: string;
  readonly body: JsonValue;
  readonly subject?: string;
  readonly correlationId?: string;
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Milliseconds since the Unix epoch: not delivered before. */
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
  /** Opaque; proves the lock. */
  readonly lockToken: string;
  readonly deadLetterReason?: string;
  readonly deadLetterDescription?: string;
}

export interface ReceiveOptions {
  /** 1–100. */
  readonly maxMessages: number;
  readonly waitMs: number;
}
