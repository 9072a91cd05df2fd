import { backoffMs } from '../../core/async/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { isFinal, toAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { Logger } from '../../core/logger.ts';
import { queues } from '../../core/names/resources.ts';
import { toMessage } from '../../platform/audit/announced-event.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import { toQueueMessage, type WebhookWork } from './messages.ts';

export interface PostponeDeps {
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** 5, 10, 20 … seconds, at most five minutes. */
const pauseBackoff = { baseMs: 5_000, maxMs: 300_000 };
/** About 16 hours. */
const maxPauses = 200;

/**
 * Queues failed work again with a delay. The queue would deliver an abandoned message at once, and dead-letter it
 * within a second of an outage.
 *
 * @throws the error itself when a retry cannot help; errors of the queue
 */
export async function postponeWork(
  { queue, clock }: PostponeDeps,
  work: WebhookWork,
  error: unknown,
  logger: Logger,
): Promise<void> {
  const pauses = work.pauses + 1;
  if (isFinal(error, pauses, maxPauses + 1)) throw error;
  const { code, message: reason, retryAfterMs = 0 } = toAppError(error);
  logger.log('warn', 'webhook work postponed', { code, reason, pauses: work.pauses });
  const { id, body } =
    work.kind === 'announcement' ? toMessage(work.announcement) : toQueueMessage(work.delivery);
  const pauseMs = Math.max(retryAfterMs, backoffMs(pauses, pauseBackoff, 0));
  await queue.send(queues.webhooks, [
    {
      id: `${id}.pause-${pauses}`,
      body: { ...(body as JsonObject), pauses },
      scheduledFor: clock.now() + pauseMs,
    },
  ]);
}
