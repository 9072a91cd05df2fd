import type { TokenCredential } from '@azure/identity';
import {
  RetryMode,
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
  type ServiceBusSender,
} from '@azure/service-bus';
import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError, retryIntent } from '../../core/errors.ts';
import type {
  MessageQueue,
  OutgoingMessage,
  QueueSource,
  ReceivedMessage,
  ReceiveOptions,
} from '../../platform/storage/queue.ts';
import {
  checkDeadLetter,
  checkReceive,
  encodeMessages,
  entityPath,
  lockLost,
  noSuchEntity,
  type EncodedMessage,
} from '../../platform/storage/queue-rules.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import { serviceTooSlow, translateServiceBusError } from './service-bus/errors.ts';
import { toReceivedMessage, toServiceBusMessage } from './service-bus/messages.ts';
import { ReceiverPool } from './service-bus/receivers.ts';

export type ServiceBusConnection =
  /** `<name>.servicebus.windows.net`, with the identity of the app. */
  | { readonly fullyQualifiedNamespace: string; readonly credential: TokenCredential }
  /** For emulators: `…;UseDevelopmentEmulator=true` speaks plain TCP. */
  | { readonly connectionString: string };

export interface ServiceBusQueueDeps {
  readonly clock: Pick<Clock, 'now'>;
}

export interface ServiceBusQueueOptions {
  readonly connection: ServiceBusConnection;
  /** The entity that `ping` peeks at; the identity needs the right to receive from it. */
  readonly probe: QueueSource;
  /** Limits each call with its retries, in addition to the wait of `receive`. Default 30 s. */
  readonly operationTimeoutMs?: number;
}

/** How long a receive waits for further messages after the first. */
const gatherMs = 20;

/** Tolerated difference between the clocks of the service and of this machine. */
const clockSkewMs = 60_000;

/** A shorter timeout for pings, so that those of several health checks do not pile up. */
const maxPingMs = 5_000;

interface HeldMessage {
  readonly message: ServiceBusReceivedMessage;
  readonly receiver: ServiceBusReceiver;
  readonly lockedUntil: number;
}

/** Implements `MessageQueue` over Service Bus. Connects at the first call and reconnects after a loss. */
export function createServiceBusQueue(
  deps: ServiceBusQueueDeps,
  options: ServiceBusQueueOptions,
): MessageQueue {
  return new ServiceBusQueue(deps, options);
}

class ServiceBusQueue implements MessageQueue {
  readonly #client: ServiceBusClient;
  readonly #receivers: ReceiverPool;
  readonly #senders = new Map<string, ServiceBusSender>();
  /** By lock token, the oldest lock first. */
  readonly #held = new Map<string, HeldMessage>();
  readonly #clock: ServiceBusQueueDeps['clock'];
  readonly #probe: QueueSource;
  readonly #operationTimeoutMs: number;
  readonly #closing = new AbortController();

  constructor(
    { clock }: ServiceBusQueueDeps,
    { connection, probe, operationTimeoutMs = 30_000 }: ServiceBusQueueOptions,
  ) {
    // Three attempts and their delays fit into the operation's timeout. Only this timeout detects a connection that
    // breaks during a send.
    const retryOptions = {
      maxRetries: 2,
      retryDelayInMs: 250,
      maxRetryDelayInMs: 2000,
      mode: RetryMode.Exponential,
      timeoutInMs: operationTimeoutMs / 4,
    };
    this.#client =
      'connectionString' in connection
        ? new ServiceBusClient(connection.connectionString, { retryOptions })
        : new ServiceBusClient(connection.fullyQualifiedNamespace, connection.credential, { retryOptions });
    this.#receivers = new ReceiverPool(this.#client);
    this.#clock = clock;
    this.#probe = probe;
    this.#operationTimeoutMs = operationTimeoutMs;
  }

  async send(destination: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const encoded = encodeMessages(destination, messages);
    if (encoded.length === 0) return;
    await this.#call(destination, async (signal) => {
      const sender = this.#senders.get(destination) ?? this.#client.createSender(destination);
      this.#senders.set(destination, sender);
      try {
        await sendWhole(sender, destination, encoded, signal);
      } catch (error) {
        // Give the next send a new link.
        this.#senders.delete(destination);
        void Promise.allSettled([sender.close()]);
        throw error;
      }
    });
  }

  async receive(source: QueueSource, options: ReceiveOptions): Promise<readonly ReceivedMessage[]> {
    checkReceive(source, options);
    this.#forgetExpired();
    const receiver = await this.#call(entityPath(source), async () => this.#receivers.borrow(source));
    try {
      const batch = await this.#call(
        entityPath(source),
        (signal) => receiveBatch(receiver, options, signal),
        options.waitMs + this.#operationTimeoutMs,
      );
      this.#receivers.giveBack(source, receiver);
      return batch.map((message) => this.#hold(message, receiver, source));
    } catch (error) {
      this.#receivers.discard(receiver);
      if (this.#closing.signal.aborted && isAppError(error, 'TIMEOUT')) return [];
      throw error;
    }
  }

  complete(message: ReceivedMessage): Promise<void> {
    return this.#settle(message, (settler, held) => settler.completeMessage(held));
  }

  abandon(message: ReceivedMessage): Promise<void> {
    return this.#settle(message, (settler, held) => settler.abandonMessage(held));
  }

  async deadLetter(message: ReceivedMessage, reason: string, description: string): Promise<void> {
    checkDeadLetter(message, reason, description);
    await this.#settle(message, (settler, held) =>
      settler.deadLetterMessage(held, {
        deadLetterReason: reason,
        deadLetterErrorDescription: description,
      }),
    );
  }

  async renewLock(message: ReceivedMessage): Promise<number> {
    const held = this.#held.get(message.lockToken);
    if (held === undefined) throw lockLost(message);
    const settler = this.#receivers.settler(message.source);
    const end = await this.#call(entityPath(message.source), () => settler.renewMessageLock(held.message));
    this.#held.delete(message.lockToken);
    this.#held.set(message.lockToken, { ...held, lockedUntil: end.getTime() });
    return end.getTime();
  }

  async ping(): Promise<void> {
    const peek = (abortSignal: AbortSignal) =>
      this.#receivers.settler(this.#probe).peekMessages(1, { abortSignal });
    await this.#call(entityPath(this.#probe), peek, Math.min(this.#operationTimeoutMs, maxPingMs));
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#held.clear();
    const limit = { timeoutMs: this.#operationTimeoutMs / 4, toError: () => serviceTooSlow('close') };
    // An unreachable service cannot confirm the close, so ignore the outcome.
    await Promise.allSettled([withTimeout(limit, () => this.#client.close())]);
  }

  #hold(
    message: ServiceBusReceivedMessage,
    receiver: ServiceBusReceiver,
    source: QueueSource,
  ): ReceivedMessage {
    const received = toReceivedMessage(message, source);
    this.#held.set(received.lockToken, { message, receiver, lockedUntil: received.lockedUntil });
    return received;
  }

  /** Bounds memory when a consumer neither settles nor renews. */
  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [lockToken, { lockedUntil, receiver }] of this.#held) {
      if (lockedUntil + clockSkewMs > now) return;
      this.#held.delete(lockToken);
      this.#receivers.noteForgotten(receiver);
    }
  }

  async #settle(
    message: ReceivedMessage,
    settle: (settler: ServiceBusReceiver, held: ServiceBusReceivedMessage) => Promise<void>,
  ): Promise<void> {
    const held = this.#held.get(message.lockToken);
    if (held === undefined) throw lockLost(message);
    // Remove it first: of two settlements of one message, the SDK answers only the later.
    this.#held.delete(message.lockToken);
    try {
      await this.#call(entityPath(message.source), () =>
        settle(this.#receivers.settler(message.source), held.message),
      );
    } catch (error) {
      if (retryIntent(error) === 'later') this.#held.set(message.lockToken, held);
      throw error;
    }
  }

  /** Runs one call to the service with a timeout and translates its errors. */
  async #call<T>(
    entity: string,
    run: (signal: AbortSignal) => Promise<T>,
    timeoutMs = this.#operationTimeoutMs,
  ): Promise<T> {
    if (this.#closing.signal.aborted) throw new AppError('UNAVAILABLE', 'The Service Bus client is closed.');
    const toError = () => serviceTooSlow(entity);
    try {
      return await withTimeout({ timeoutMs, toError, signal: this.#closing.signal }, run);
    } catch (error) {
      const translated = translateServiceBusError(error, entity);
      throw isAppError(translated, 'NOT_FOUND') ? noSuchEntity(entity, error) : translated;
    }
  }
}

/** Sends all messages in one transfer, which the service stores atomically. */
async function sendWhole(
  sender: ServiceBusSender,
  destination: string,
  messages: readonly EncodedMessage[],
  abortSignal: AbortSignal,
): Promise<void> {
  const [first] = messages;
  if (first !== undefined && messages.length === 1)
    return sender.sendMessages(toServiceBusMessage(first), { abortSignal });
  const batch = await sender.createMessageBatch({ abortSignal });
  for (const message of messages)
    if (!batch.tryAddMessage(toServiceBusMessage(message)))
      throw new AppError('PAYLOAD_TOO_LARGE', `The messages for "${destination}" do not fit into one send.`, {
        destination,
        maxSizeBytes: batch.maxSizeInBytes,
      });
  await sender.sendMessages(batch, { abortSignal });
}

/**
 * Receives one message and then those that follow at once. For a larger batch, the SDK would wait up to a second for it to
 * fill.
 */
async function receiveBatch(
  receiver: ServiceBusReceiver,
  { maxMessages, waitMs }: ReceiveOptions,
  abortSignal: AbortSignal,
): Promise<readonly ServiceBusReceivedMessage[]> {
  if (waitMs <= gatherMs)
    return receiver.receiveMessages(maxMessages, { maxWaitTimeInMs: gatherMs, abortSignal });
  const first = await receiver.receiveMessages(1, { maxWaitTimeInMs: waitMs, abortSignal });
  if (first.length === 0 || maxMessages <= first.length) return first;
  const [rest] = await Promise.allSettled([
    receiver.receiveMessages(maxMessages - first.length, { maxWaitTimeInMs: gatherMs, abortSignal }),
  ]);
  // Deliver the first message even if the connection broke: its settlement will fail in that case.
  return rest.status === 'fulfilled' ? [...first, ...rest.value] : first;
}
