import type { ServiceBusClient, ServiceBusReceiver } from '@azure/service-bus';
import type { QueueSource } from '../../../platform/storage/queue.ts';
import { entityPath } from '../../../platform/storage/queue-rules.ts';

/** Idle links beyond these are closed. */
const maxIdlePerSource = 8;

/**
 * The SDK keeps the deliveries of a link in a ring of 2,048, and one whose lock ended unsettled stays in it for
 * ever; a link is replaced long before they fill the ring.
 */
const maxForgottenPerLink = 500;

/**
 * The receivers of a client, cached: opening a link takes some round trips. A receiver can wait for one batch at a
 * time, so concurrent receives from one source each borrow their own.
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

  /** Its link may be in any state, so how closing it ends tells nothing. */
  discard(receiver: ServiceBusReceiver): void {
    void Promise.allSettled([receiver.close()]);
  }

  /** A message of this receiver was never settled. */
  noteForgotten(receiver: ServiceBusReceiver): void {
    this.#forgotten.set(receiver, (this.#forgotten.get(receiver) ?? 0) + 1);
  }

  /**
   * Settles any message of the source: over the link that brought it while that is open, else by lock token
   * through the entity's management node. It never receives, so it has no link of its own to lose.
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
      // The SDK would renew locks for five minutes behind the consumer's back.
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
