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

export interface ServiceBusQueueOptions {
  readonly connection: ServiceBusConnection;
  readonly clock: Clock;
  /** The entity that `ping` peeks at; the app must be allowed to receive from it. */
  readonly probe: QueueSource;
  /** The bound of any one call with all its retries, on top of what `receive` waits. Default 30 s. */
  readonly operationTimeoutMs?: number;
}

/** How long after the first message a receive gathers others that are there already. */
const gatherMs = 20;

/** The clocks of the service and of this machine may differ by as much. */
const clockSkewMs = 60_000;

/** Nobody waits for a ping longer: those of several health checks would only pile up. */
const maxPingMs = 5_000;

interface HeldMessage {
  readonly message: ServiceBusReceivedMessage;
  readonly receiver: ServiceBusReceiver;
  readonly lockedUntil: number;
}

/**
 * The Service Bus adapter of `MessageQueue`. It connects at the first call, and again after every loss.
 */
export function createServiceBusQueue(options: ServiceBusQueueOptions): MessageQueue {
  return new ServiceBusQueue(options);
}

class ServiceBusQueue implements MessageQueue {
  readonly #client: ServiceBusClient;
  readonly #receivers: ReceiverPool;
  readonly #senders = new Map<string, ServiceBusSender>();
  /** By lock token, oldest lock first. */
  readonly #held = new Map<string, HeldMessage>();
  readonly #clock: Clock;
  readonly #probe: QueueSource;
  readonly #operationTimeoutMs: number;
  readonly #closing = new AbortController();

  constructor({ connection, clock, probe, operationTimeoutMs = 30_000 }: ServiceBusQueueOptions) {
    // Three tries and the pauses between them fit into the operation's bound. The SDK notices a connection that
    // breaks under a send only by this timeout.
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
        // Whatever is wrong with its link, the next send gets a new one.
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
    // A service that is gone cannot confirm the close, so its failure says nothing.
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

  /** A consumer that neither settles nor renews would otherwise fill the memory. */
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
    // Taken out first: the SDK answers only the later of two settlements of one message.
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

  /** One call to the service, bounded in time, its errors ours. */
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

/** One transfer, which the service stores whole or not at all. */
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
 * The SDK waits up to a second for a batch to fill; one message alone comes at once, and the rest of what is there
 * a moment later.
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
  // What is in hand is delivered even if the connection broke meanwhile: settling it will tell.
  return rest.status === 'fulfilled' ? [...first, ...rest.value] : first;
}
