import type { ServiceBusClient, ServiceBusReceiver } from '@azure/service-bus';
import type { QueueSource } from '../../../platform/storage/queue.ts';
import { entityPath } from '../../../platform/storage/queue-rules.ts';

/** Further idle links are closed. */
const maxIdlePerSource = 8;

/**
 * The SDK keeps the deliveries of a link in a ring of 2,048 entries, and never removes those whose lock expired. Replace a
 * link long before the ring is full.
 */
const maxForgottenPerLink = 500;

/**
 * Caches the receivers of a client, because opening a link takes several round trips. A receiver can wait for one batch at
 * a time, so each concurrent receive borrows its own.
 */
export class ReceiverPool {
  readonly #client: ServiceBusClient;
  readonly #idle = new Map<string, ServiceBusReceiver[]>();
  readonly #settlers = new Map<string, ServiceBusReceiver>();
  readonly #forgotten = new WeakMap<ServiceBusReceiver, number>();

  constructor(client: ServiceBusClient) {
    this.#client = client;
  }

  borrow(source: QueueSource): ServiceBusReceiver {
    return this.#idle.get(poolKey(source))?.pop() ?? this.#create(source);
  }

  giveBack(source: QueueSource, receiver: ServiceBusReceiver): void {
    const idle = this.#idle.get(poolKey(source)) ?? [];
    this.#idle.set(poolKey(source), idle);
    const isWornOut = (this.#forgotten.get(receiver) ?? 0) >= maxForgottenPerLink;
    if (isWornOut || idle.length >= maxIdlePerSource) this.discard(receiver);
    else idle.push(receiver);
  }

  /** Closes a receiver. Ignores the outcome, because its link can be in any state. */
  discard(receiver: ServiceBusReceiver): void {
    void Promise.allSettled([receiver.close()]);
  }

  /** Counts a message of this receiver that was never settled. */
  noteForgotten(receiver: ServiceBusReceiver): void {
    this.#forgotten.set(receiver, (this.#forgotten.get(receiver) ?? 0) + 1);
  }

  /**
   * A receiver that settles any message of the source: over the link that delivered it while that is open, else by lock
   * token through the management node. It never receives, so it has no link that can break.
   */
  settler(source: QueueSource): ServiceBusReceiver {
    const key = poolKey(source);
    const settler = this.#settlers.get(key) ?? this.#create(source);
    this.#settlers.set(key, settler);
    return settler;
  }

  #create(source: QueueSource): ServiceBusReceiver {
    const options = {
      receiveMode: 'peekLock' as const,
      skipParsingBodyAsJson: true,
      // By default the SDK renews locks for five minutes on its own.
      maxAutoLockRenewalDurationInMs: 0,
      ...(source.deadLetter === true && { subQueueType: 'deadLetter' as const }),
    };
    return 'queue' in source
      ? this.#client.createReceiver(source.queue, options)
      : this.#client.createReceiver(source.topic, source.subscription, options);
  }
}

function poolKey(source: QueueSource): string {
  return `${entityPath(source).toLowerCase()}${source.deadLetter === true ? '/$DeadLetterQueue' : ''}`;
}
