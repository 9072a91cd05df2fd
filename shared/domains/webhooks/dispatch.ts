import { AppError } from '../../core/errors.ts';
import { queues } from '../../core/names/resources.ts';
import type { Announcement } from '../../platform/audit/announced-event.ts';
import { findEvent } from '../../platform/audit/audit-log.ts';
import type { AuditSubject } from '../../platform/audit/event.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import { toDeliveryId, toQueueMessage } from './messages.ts';
import { findCandidates, nameEvent, readIsPrompt } from './payloads.ts';
import type { Webhooks } from './webhooks.ts';

export interface DispatchDeps {
  readonly store: Pick<MetadataStore, 'get'>;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly webhooks: Pick<Webhooks, 'listSubscribed'>;
  /** Whether a registered model is one of MLflow's prompts, whose events have other names. */
  readonly isPrompt: (model: string) => Promise<boolean>;
}

/** A webhook receives no events from before its creation, give or take the difference between two machines' clocks. */
const clockToleranceMs = 60_000;
const messagesPerSend = 100;

/**
 * Queues a delivery of an announced event for each subscribed webhook.
 *
 * @returns the number of deliveries
 * @throws NOT_FOUND for an announcement without its event; errors of the store and the queue
 */
export async function dispatchEvent(deps: DispatchDeps, announcement: Announcement): Promise<number> {
  const { store, queue, webhooks } = deps;
  const subscribed = (await webhooks.listSubscribed(findCandidates(announcement.action))).filter(
    (webhook) => webhook.createdAt <= announcement.at + clockToleranceMs,
  );
  if (subscribed.length === 0) return 0;
  const event = await findEvent(store, announcement);
  if (event === undefined)
    throw new AppError('NOT_FOUND', `Event "${announcement.eventId}" does not exist.`, { ...announcement });
  const name = nameEvent(event.action, readIsPrompt(event) ?? (await isAboutPrompt(deps, event.subject)));
  if (name === undefined) return 0;
  const { container, partition, eventId } = announcement;
  const messages = subscribed
    .filter(({ events }) => events.includes(name))
    .map(({ webhookId }) =>
      toQueueMessage({
        container,
        partition,
        eventId,
        webhookId,
        event: name,
        deliveryId: toDeliveryId(eventId, webhookId),
        attempt: 1,
      }),
    );
  for (let start = 0; start < messages.length; start += messagesPerSend)
    await queue.send(queues.webhooks, messages.slice(start, start + messagesPerSend));
  return messages.length;
}

async function isAboutPrompt({ isPrompt }: DispatchDeps, subject: AuditSubject): Promise<boolean> {
  return 'model' in subject && (await isPrompt(subject.model));
}
