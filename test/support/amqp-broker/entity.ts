import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../shared/core/clock.ts';
import type { WireMessage } from './wire.ts';

export interface DeliverySettings {
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
}

export interface Stored {
  readonly sequence: number;
  readonly message: WireMessage;
  readonly enqueuedAt: number;
  /** The number of failed deliveries, which Service Bus puts into the AMQP header. */
  failures: number;
}

export interface Locked extends Stored {
  readonly token: string;
  lockedUntil: number;
}

interface Lock {
  readonly stored: Stored;
  lockedUntil: number;
  timer: AbortController;
}

export type Outcome =
  | { readonly kind: 'complete' }
  | { readonly kind: 'abandon' }
  | { readonly kind: 'deadLetter'; readonly reason: string; readonly description: string };

let lastSequence = 0;

/** A queue or subscription in memory. Written against the documentation, not against our SQLite queue. */
export class Entity {
  readonly deadLetters: Entity | undefined;
  readonly #settings: DeliverySettings;
  readonly #clock: Clock;
  readonly #ready: Stored[] = [];
  readonly #locks = new Map<string, Lock>();
  readonly #scheduled = new Set<AbortController>();
  readonly #listeners = new Set<() => void>();

  constructor(settings: DeliverySettings, clock: Clock, isDeadLetterQueue = false) {
    this.#settings = settings;
    this.#clock = clock;
    this.deadLetters = isDeadLetterQueue ? undefined : new Entity(settings, clock, true);
  }

  /** @returns a function that stops listening. */
  onReady(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  enqueue(message: WireMessage, scheduledFor = 0): void {
    const now = this.#clock.now();
    if (scheduledFor <= now)
      return this.#add({ sequence: ++lastSequence, message, enqueuedAt: now, failures: 0 });
    const timer = this.#runLater(scheduledFor - now, () => {
      this.#scheduled.delete(timer);
      this.enqueue(message, scheduledFor);
    });
    this.#scheduled.add(timer);
  }

  take(): Locked | undefined {
    const stored = this.#ready.shift();
    if (stored === undefined) return undefined;
    const token = randomUUID();
    const lockedUntil = this.#clock.now() + this.#settings.lockDurationMs;
    this.#locks.set(token, { stored, lockedUntil, timer: this.#endLockLater(token) });
    return { ...stored, token, lockedUntil };
  }

  /** @returns false if the lock is lost. */
  settle(token: string, outcome: Outcome): boolean {
    const stored = this.#unlock(token);
    if (stored === undefined) return false;
    if (outcome.kind === 'abandon') this.#fail(stored);
    else if (outcome.kind === 'deadLetter') this.#bury(stored, outcome.reason, outcome.description);
    return true;
  }

  /** @returns the new end of the lock, or nothing if it is lost. */
  renew(token: string): number | undefined {
    const lock = this.#locks.get(token);
    if (lock === undefined) return undefined;
    lock.timer.abort();
    lock.timer = this.#endLockLater(token);
    lock.lockedUntil = this.#clock.now() + this.#settings.lockDurationMs;
    return lock.lockedUntil;
  }

  peek(fromSequence: number, count: number): Stored[] {
    const locked = [...this.#locks.values()].map(({ stored }) => stored);
    return [...this.#ready, ...locked]
      .filter(({ sequence }) => sequence >= fromSequence)
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, count);
  }

  /** Stops every timer. */
  dispose(): void {
    for (const { timer } of this.#locks.values()) timer.abort();
    for (const timer of this.#scheduled) timer.abort();
    this.deadLetters?.dispose();
  }

  #add(stored: Stored): void {
    const index = this.#ready.findIndex(({ sequence }) => sequence > stored.sequence);
    this.#ready.splice(index < 0 ? this.#ready.length : index, 0, stored);
    for (const listener of this.#listeners) listener();
  }

  #fail(stored: Stored): void {
    stored.failures++;
    if (this.deadLetters === undefined || stored.failures < this.#settings.maxDeliveryCount)
      this.#add(stored);
    else this.#bury(stored, 'MaxDeliveryCountExceeded', 'Message could not be consumed.');
  }

  #bury({ message }: Stored, reason: string, description: string): void {
    const properties = { DeadLetterReason: reason, DeadLetterErrorDescription: description };
    this.deadLetters?.enqueue({
      ...message,
      application_properties: { ...(message['application_properties'] as object), ...properties },
    });
  }

  #unlock(token: string): Stored | undefined {
    const lock = this.#locks.get(token);
    lock?.timer.abort();
    this.#locks.delete(token);
    return lock?.stored;
  }

  #endLockLater(token: string): AbortController {
    return this.#runLater(this.#settings.lockDurationMs, () => this.settle(token, { kind: 'abandon' }));
  }

  /** @returns what cancels it. */
  #runLater(ms: number, run: () => void): AbortController {
    const timer = new AbortController();
    const sleep = async () => {
      try {
        await this.#clock.sleep(ms, timer.signal);
      } catch {
        return;
      }
      run();
    };
    void sleep();
    return timer;
  }
}
