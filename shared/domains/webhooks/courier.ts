import { type Announcement, toMessage } from '../../platform/audit/announced-event.ts';
import { findEvent } from '../../platform/audit/audit-log.ts';
import { backoffMs } from '../../core/async/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { AppError, isAppError, isFinal, toAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';
import { queues } from '../../core/names.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import type { Claim, Deliveries } from './deliveries.ts';
import type { Delivery, Webhook } from './entities.ts';
import { toEnvelope, webhookEvents, type WebhookEventName } from './events.ts';
import { type DeliveryMessage, readWork, toDeliveryId, toQueueMessage } from './messages.ts';
import { findCandidates, nameEvent, tellsPrompt, toPayload } from './payloads.ts';
import { judge } from './retry.ts';
import type { Sender, SendOutcome } from './send.ts';
import { toDeliveryHeaders } from './sign.ts';
import type { Webhooks } from './webhooks.ts';

export interface CourierOptions {
  readonly store: MetadataStore;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly maxAttempts: number;
  /** How long one attempt can take at most, as the sender was told. */
  readonly timeoutMs: number;
  /** Whether a registered model is one of MLflow's prompts: their events have names of their own. */
  readonly isPrompt: (model: string) => Promise<boolean>;
}

/** A webhook hears nothing from before it was made; clocks of two machines may differ by this. */
const clockToleranceMs = 60_000;
/** What an attempt takes besides its sending. */
const claimMarginMs = 15_000;
const sendPage = 100;

/** What waits for an outage to pass is looked at again after 5, 10, 20 … seconds, five minutes at most. */
const pauseBackoff = { baseMs: 5_000, maxMs: 300_000 };
/** Some 16 hours. */
const maxPauses = 200;

/** Brings events to whoever waits for them: at least once, under an id that stays the same. */
export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /**
   * Handles a message of the topic `events` or of the queue `webhooks`. While something is away the message waits in
   * that queue: thrown back, it would be delivered at once, and dead-lettered within a second.
   *
   * @throws what no retry can help; anything, while the queue is away as well
   */
  async handle(body: unknown, logger: Logger): Promise<void> {
    const { pauses, ...work } = readWork(body);
    try {
      if (work.kind === 'announcement') await this.dispatch(work.announcement);
      else if (work.kind === 'delivery') await this.deliver(work.delivery, logger);
    } catch (error) {
      if (isFinal(error, pauses + 1, maxPauses + 1) || work.kind === 'other') throw error;
      const { code, message: reason, retryAfterMs = 0 } = toAppError(error);
      logger.log('warn', 'webhook work postponed', { code, reason, pauses });
      const { id, body: content } =
        work.kind === 'announcement' ? toMessage(work.announcement) : toQueueMessage(work.delivery);
      const pauseMs = Math.max(retryAfterMs, backoffMs(pauses + 1, pauseBackoff, 0));
      await this.#options.queue.send(queues.webhooks, [
        {
          id: `${id}.pause-${pauses + 1}`,
          body: { ...(content as JsonObject), pauses: pauses + 1 },
          scheduledFor: this.#options.clock.now() + pauseMs,
        },
      ]);
    }
  }

  /**
   * Owes an announced event to each webhook that waits for it.
   *
   * @returns how many deliveries are owed
   * @throws NOT_FOUND for an announcement without its event; whatever the store and the queue throw
   */
  async dispatch(announcement: Announcement): Promise<number> {
    const { store, queue, webhooks } = this.#options;
    const waiting = (await webhooks.listWaiting(findCandidates(announcement.action))).filter(
      (webhook) => webhook.createdAt <= announcement.at + clockToleranceMs,
    );
    if (waiting.length === 0) return 0;
    const event = await findEvent(store, announcement);
    if (event === undefined)
      throw new AppError('NOT_FOUND', `There is no event "${announcement.eventId}".`, { ...announcement });
    const name = nameEvent(event.action, tellsPrompt(event) ?? (await this.#isPrompt(event.subject)));
    const { container, partition, eventId } = announcement;
    const messages = waiting.flatMap(({ webhookId, events }) =>
      name !== undefined && events.includes(name)
        ? [
            {
              container,
              partition,
              eventId,
              webhookId,
              event: name,
              deliveryId: toDeliveryId(eventId, webhookId),
              attempt: 1,
            },
          ]
        : [],
    );
    for (let start = 0; start < messages.length; start += sendPage)
      await queue.send(
        queues.webhooks,
        messages.slice(start, start + sendPage).map((message) => toQueueMessage(message)),
      );
    return messages.length;
  }

  /**
   * Makes one attempt, and sees to the next.
   *
   * @throws UNPROCESSABLE when it gives up: for the queue `refused`; whatever the store and the queue throw
   */
  async deliver(message: DeliveryMessage, logger: Logger): Promise<void> {
    const { webhooks, deliveries, timeoutMs, clock } = this.#options;
    const webhook = await webhooks.find(message.webhookId);
    if (webhook?.status !== 'ACTIVE')
      return logger.log('info', 'delivery dropped: its webhook is gone or disabled', describe(message));
    const claim = await deliveries.claim(message, timeoutMs + claimMarginMs);
    if (claim.kind === 'taken') return this.#schedule(message, claim.until + 1_000);
    if (claim.kind === 'done') return this.#followUp(message, claim.delivery);
    const startedAt = clock.now();
    const outcome = await this.#attempt(webhook, message);
    await this.#settle(message, claim, outcome, startedAt, logger);
  }

  /** Sends a made-up event of a kind at once, and tells what came of it. @throws NOT_FOUND */
  async test(webhookId: string, event?: WebhookEventName): Promise<SendOutcome> {
    const { webhooks, clock, ids } = this.#options;
    const webhook = await webhooks.get(webhookId);
    const name = event ?? webhook.events[0];
    if (name === undefined) throw new AppError('INVALID_ARGUMENT', 'The webhook waits for no event.');
    return this.#send(webhook, ids.uuid(), name, clock.now(), webhookEvents[name]);
  }

  async #attempt(webhook: Webhook, message: DeliveryMessage): Promise<SendOutcome> {
    const event = await findEvent(this.#options.store, message);
    if (event === undefined) return { kind: 'forbidden', reason: 'the event is no longer there' };
    return this.#send(webhook, message.deliveryId, message.event, event.at, toPayload(event, message.event));
  }

  async #send(
    webhook: Webhook,
    deliveryId: string,
    event: WebhookEventName,
    at: number,
    payload: Parameters<typeof toEnvelope>[2],
  ): Promise<SendOutcome> {
    const { webhooks, sender, clock } = this.#options;
    const body = JSON.stringify(toEnvelope(event, at, payload));
    let secret: string | undefined;
    try {
      secret = webhook.isSigned ? await webhooks.openSecret(webhook.webhookId) : undefined;
    } catch (error) {
      // Unsigned it must not go; an operator can still bring the key back.
      if (!isAppError(error)) throw error;
      return { kind: 'failed', reason: error.message };
    }
    const timestampSeconds = Math.floor(clock.now() / 1_000);
    return sender.send(webhook.url, toDeliveryHeaders({ deliveryId, body, timestampSeconds, secret }), body);
  }

  async #settle(
    message: DeliveryMessage,
    claim: Extract<Claim, { kind: 'mine' }>,
    outcome: SendOutcome,
    startedAt: number,
    logger: Logger,
  ): Promise<void> {
    const { clock, ids, maxAttempts, deliveries } = this.#options;
    const now = clock.now();
    const verdict = judge(outcome, { attempt: message.attempt, maxAttempts, random: ids.random() });
    const { claimedUntil: _, ...delivery } = claim.delivery;
    const settled: Delivery = {
      ...delivery,
      updatedAt: now,
      status: verdict.kind === 'delivered' ? 'delivered' : verdict.kind === 'retry' ? 'waiting' : 'refused',
      attempts: [
        ...delivery.attempts,
        {
          attempt: message.attempt,
          at: startedAt,
          durationMs: now - startedAt,
          ...(outcome.kind === 'answered' ? { status: outcome.status } : {}),
          ...(verdict.kind === 'delivered' ? {} : { reason: verdict.reason }),
        },
      ],
      ...(verdict.kind === 'retry' ? { nextAttemptAt: now + verdict.afterMs } : {}),
    };
    if (!(await deliveries.settle(claim, settled)))
      return logger.log('warn', 'delivery taken over while it was sent', describe(message));
    logger.log(verdict.kind === 'delivered' ? 'debug' : 'warn', `webhook ${settled.status}`, {
      ...describe(message),
      durationMs: now - startedAt,
      ...(verdict.kind === 'delivered' ? {} : { reason: verdict.reason }),
    });
    await this.#followUp(message, settled);
  }

  /** What an attempt that was made leaves to do; the same again when the message comes twice. */
  async #followUp(message: DeliveryMessage, delivery: Delivery): Promise<void> {
    switch (delivery.status) {
      case 'sending':
      case 'delivered':
        return;
      case 'waiting': {
        const attempt = delivery.attempts.length + 1;
        return this.#schedule({ ...message, attempt }, delivery.nextAttemptAt ?? this.#options.clock.now());
      }
      case 'refused': {
        const last = delivery.attempts.at(-1);
        throw new AppError('UNPROCESSABLE', `The webhook was not delivered: ${last?.reason ?? 'unknown'}.`, {
          ...describe(message),
        });
      }
    }
  }

  async #schedule(message: DeliveryMessage, at: number): Promise<void> {
    await this.#options.queue.send(queues.webhooks, [toQueueMessage(message, Math.ceil(at))]);
  }

  async #isPrompt(subject: { readonly kind: string; readonly model?: string }): Promise<boolean> {
    return subject.model === undefined ? false : this.#options.isPrompt(subject.model);
  }
}

function describe({ deliveryId, webhookId, event, attempt }: DeliveryMessage) {
  return { deliveryId, webhookId, event, attempt };
}
