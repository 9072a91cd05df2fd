import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { queues } from '../../core/names/resources.ts';
import { findEvent } from '../../platform/audit/audit-log.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import { decideRetry, type RetryDecision } from './decide-retry.ts';
import type { Claimed, Deliveries } from './deliveries.ts';
import type { Delivery, DeliveryStatus, Webhook } from './entities.ts';
import { type DeliveryMessage, toQueueMessage } from './messages.ts';
import { toPayload } from './payloads.ts';
import { postEvent, type PostEventDeps } from './post-event.ts';
import type { SendOutcome } from './sending/send.ts';
import type { Webhooks } from './webhooks.ts';

export interface DeliverDeps extends PostEventDeps {
  readonly store: Pick<MetadataStore, 'get'>;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly webhooks: Pick<Webhooks, 'find' | 'openSecret'>;
  readonly deliveries: Pick<Deliveries, 'claim' | 'settle'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<Ids, 'random'>;
}

export interface DeliverOptions {
  readonly maxAttempts: number;
  /** The sender's timeout for one attempt. */
  readonly timeoutMs: number;
}

/** How much longer than its timeout an attempt is claimed for. */
const claimMarginMs = 15_000;

/**
 * Makes one attempt to deliver an event and schedules the next. An attempt is claimed before it is made, so of several
 * workers with the same message only one sends.
 *
 * @throws UNPROCESSABLE when it gives up, for the queue `refused`; errors of the store and the queue
 */
export async function deliverEvent(
  deps: DeliverDeps,
  options: DeliverOptions,
  message: DeliveryMessage,
  logger: Logger,
): Promise<void> {
  const { webhooks, deliveries, clock } = deps;
  const webhook = await webhooks.find(message.webhookId);
  if (webhook?.status !== 'ACTIVE')
    return logger.log('info', 'delivery dropped: webhook deleted or disabled', describe(message));
  const claim = await deliveries.claim(message, options.timeoutMs + claimMarginMs);
  if (claim.kind === 'held') return schedule(deps, message, claim.until + 1_000);
  if (claim.kind === 'done') return followUp(deps, message, claim.delivery);
  const startedAt = clock.now();
  const outcome = await attempt(deps, webhook, message);
  const decision = decideRetry(outcome, {
    attempt: message.attempt,
    maxAttempts: options.maxAttempts,
    random: deps.ids.random(),
  });
  const settled = toSettled(claim, message, { startedAt, now: clock.now(), outcome, decision });
  if (!(await deliveries.settle(claim, settled)))
    return logger.log('warn', 'delivery claimed by another worker while sending', describe(message));
  logger.log(decision.kind === 'delivered' ? 'debug' : 'warn', `webhook ${settled.status}`, {
    ...describe(message),
    durationMs: settled.updatedAt - startedAt,
    ...(decision.kind === 'delivered' ? {} : { reason: decision.reason }),
  });
  await followUp(deps, message, settled);
}

async function attempt(deps: DeliverDeps, webhook: Webhook, message: DeliveryMessage): Promise<SendOutcome> {
  const event = await findEvent(deps.store, message);
  if (event === undefined) return { kind: 'forbidden', reason: 'the event no longer exists' };
  const { deliveryId, event: name } = message;
  return postEvent(deps, webhook, { deliveryId, name, at: event.at, payload: toPayload(event, name) });
}

const statuses = {
  delivered: 'delivered',
  retry: 'waiting',
  giveUp: 'refused',
} as const satisfies Record<RetryDecision['kind'], DeliveryStatus>;

function toSettled(
  claim: Claimed,
  { attempt: number }: DeliveryMessage,
  {
    startedAt,
    now,
    outcome,
    decision,
  }: { startedAt: number; now: number; outcome: SendOutcome; decision: RetryDecision },
): Delivery {
  const { claimedUntil: _, ...delivery } = claim.delivery;
  return {
    ...delivery,
    updatedAt: now,
    status: statuses[decision.kind],
    attempts: [
      ...delivery.attempts,
      {
        attempt: number,
        at: startedAt,
        durationMs: now - startedAt,
        ...(outcome.kind === 'answered' ? { status: outcome.status } : {}),
        ...(decision.kind === 'delivered' ? {} : { reason: decision.reason }),
      },
    ],
    ...(decision.kind === 'retry' ? { nextAttemptAt: now + decision.afterMs } : {}),
  };
}

/** Idempotent: repeated messages repeat it. */
async function followUp(deps: DeliverDeps, message: DeliveryMessage, delivery: Delivery): Promise<void> {
  switch (delivery.status) {
    case 'sending':
    case 'delivered':
      return;
    case 'waiting': {
      const next = { ...message, attempt: delivery.attempts.length + 1 };
      return schedule(deps, next, delivery.nextAttemptAt ?? deps.clock.now());
    }
    case 'refused': {
      const last = delivery.attempts.at(-1);
      throw new AppError('UNPROCESSABLE', `The webhook was not delivered: ${last?.reason ?? 'unknown'}.`, {
        ...describe(message),
      });
    }
  }
}

async function schedule({ queue }: DeliverDeps, message: DeliveryMessage, at: number): Promise<void> {
  await queue.send(queues.webhooks, [toQueueMessage(message, Math.ceil(at))]);
}

function describe({ deliveryId, webhookId, event, attempt: number }: DeliveryMessage) {
  return { deliveryId, webhookId, event, attempt: number };
}
