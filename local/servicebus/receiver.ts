import { isAppError } from '../../shared/core/errors.ts';
import type { QueueSource } from '../../shared/platform/storage/queue.ts';
import type { SequencedMessage } from '../../shared/adapters/embedded/queue/messages.ts';
import type { HostContext } from '../host-context.ts';
import { describe } from '../http/server.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { toBatchData, toBatchMetadata, toMessageData, toMessageMetadata } from './message-data.ts';

export interface Receiver {
  begin(): void;
  /** Takes no more messages and waits for the calls under way. */
  stop(): Promise<void>;
}

/** How long a stop may have to wait for an idle receiver. */
const receiveWaitMs = 250;
/** The queue's own bound on one receive. */
const receiveLimit = 100;
const pauseAfterErrorMs = 1000;

/**
 * Calls a function for each message (or batch), under its lock: completed when the call succeeds (unless
 * autoCompleteMessages is off), abandoned when it throws, and so delivered again until the queue dead-letters it.
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
      // A batch function has one call at a time; the others have as many as host.json allows.
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
          log.log('error', 'A queue cannot be read; trying again', {
            function: fn.name,
            error: describe(error),
          });
        isQueueDown = true;
        await clock.sleep(pauseAfterErrorMs, abort.signal).catch(ignoreAbort);
      }
    }
  }

  function start(messages: readonly SequencedMessage[]): void {
    const work = handle(messages)
      .catch((error: unknown) => {
        log.log('warn', 'A message was not settled; it will come again', {
          function: fn.name,
          error: describe(error),
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
        error: describe(error),
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

/** Keeps the locks while a call takes its time, up to host.json's maxAutoLockRenewalDuration. */
async function renewLocks(
  { queue, clock, hostJson, log }: HostContext,
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
        log.log('warn', 'A lock was not renewed', { error: describe(error) });
      return;
    }
  }
}

function ignoreAbort(): void {
  // The loop's condition ends it.
}
