import { isAppError } from '../../shared/core/errors.ts';
import type { QueueSource } from '../../shared/platform/storage/queue.ts';
import type { SequencedMessage } from '../../shared/adapters/embedded/queue/messages.ts';
import type { HostContext } from '../host-context.ts';
import { describeError } from '../describe-error.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { toBatchData, toBatchMetadata, toMessageData, toMessageMetadata } from './message-data.ts';

export interface Receiver {
  begin(): void;
  /** Receives no more messages and waits for running calls. */
  stop(): Promise<void>;
}

/** The time that a stop may wait for an idle receiver. */
const receiveWaitMs = 250;
/** The queue's limit for one receive. */
const receiveLimit = 100;
const pauseAfterErrorMs = 1000;

/**
 * Calls a function for each message or batch while it holds the lock. Completes the message when the call succeeds
 * (unless autoCompleteMessages is off) and abandons it when the call throws: the queue then redelivers it, and
 * dead-letters it after its last attempt.
 */
export function createReceiver(context: HostContext, fn: FunctionEntry, source: QueueSource): Receiver {
  const { queue, clock, log } = context;
  const { maxConcurrentCalls, maxMessageBatchSize, autoCompleteMessages } = context.hostJson.serviceBus;
  const isBatch = fn.trigger['cardinality'] === 'many';
  const completes = (fn.trigger['autoCompleteMessages'] as boolean | undefined) ?? autoCompleteMessages;
  const abort = new AbortController();
  const running = new Set<Promise<void>>();
  let loop: Promise<void> | undefined;

  async function receive(): Promise<void> {
    let isQueueDown = false;
    while (!abort.signal.aborted) {
      // A batch function has one call at a time; others up to host.json's limit.
      const free = isBatch ? (running.size > 0 ? 0 : maxMessageBatchSize) : maxConcurrentCalls - running.size;
      if (free <= 0) {
        await Promise.race(running);
        continue;
      }
      try {
        const messages = await queue.receive(source, {
          maxMessages: Math.min(free, receiveLimit),
          waitMs: receiveWaitMs,
        });
        isQueueDown = false;
        if (messages.length === 0) continue;
        for (const group of isBatch ? [messages] : messages.map((message) => [message])) start(group);
      } catch (error) {
        if (!isQueueDown)
          log.log('error', 'Receiving from a queue failed; retrying', {
            function: fn.name,
            error: describeError(error),
          });
        isQueueDown = true;
        await clock.sleep(pauseAfterErrorMs, abort.signal).catch(ignoreAbort);
      }
    }
  }

  function start(messages: readonly SequencedMessage[]): void {
    const work = handle(messages)
      .catch((error: unknown) => {
        log.log('warn', 'Settling a message failed; it will be redelivered', {
          function: fn.name,
          error: describeError(error),
        });
      })
      .finally(() => running.delete(work));
    running.add(work);
  }

  async function handle(messages: readonly SequencedMessage[]): Promise<void> {
    const done = new AbortController();
    const renewal = renewLocks(context, messages, done.signal);
    try {
      await context.dispatch(fn, {
        trigger: isBatch ? toBatchData(messages) : toMessageData(messages[0]!),
        metadata: isBatch ? toBatchMetadata(messages) : toMessageMetadata(messages[0]!),
      });
    } catch (error) {
      const ids = messages.map(({ id }) => id);
      log.log('error', 'A Service Bus function failed', {
        function: fn.name,
        messages: ids,
        error: describeError(error),
      });
      done.abort();
      for (const message of messages) await queue.abandon(message);
      return;
    } finally {
      done.abort();
      await renewal;
    }
    if (completes) for (const message of messages) await queue.complete(message);
  }

  return {
    begin() {
      loop = receive();
    },
    async stop() {
      abort.abort();
      await loop;
      await Promise.all(running);
    },
  };
}

/** Renews the locks while a call runs, up to host.json's maxAutoLockRenewalDuration. */
async function renewLocks(
  { queue, clock, hostJson, log }: Pick<HostContext, 'queue' | 'clock' | 'hostJson' | 'log'>,
  messages: readonly SequencedMessage[],
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + hostJson.serviceBus.maxAutoLockRenewalMs;
  let lockedUntil = Math.min(...messages.map((message) => message.lockedUntil));
  while (clock.now() < until) {
    const aborted = await clock.sleep(Math.max(10, (lockedUntil - clock.now()) / 2), signal).then(
      () => false,
      () => true,
    );
    if (aborted) return;
    try {
      const renewed = await Promise.all(messages.map((message) => queue.renewLock(message)));
      lockedUntil = Math.min(...renewed);
    } catch (error) {
      if (!isAppError(error, 'PRECONDITION_FAILED'))
        log.log('warn', 'Renewing a lock failed', { error: describeError(error) });
      return;
    }
  }
}

function ignoreAbort(): void {
  // The loop's condition ends the loop.
}
