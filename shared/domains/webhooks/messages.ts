import { z } from 'zod';
import {
  type Announcement,
  announcementSchema,
  eventPlaceSchema,
} from '../../platform/audit/announced-event.ts';
import { sha256 } from '../../core/ids.ts';
import { validate } from '../../core/validate.ts';
import type { OutgoingMessage } from '../../platform/storage/queue.ts';
import { toBody } from '../../platform/storage/page.ts';
import { isWebhookEvent, type WebhookEventName } from './events.ts';

/** One attempt that is owed. */
const deliveryMessageSchema = eventPlaceSchema.extend({
  deliveryId: z.string().min(1).max(100),
  webhookId: z.string().min(1).max(100),
  event: z.custom<WebhookEventName>((value) => typeof value === 'string' && isWebhookEvent(value)),
  /** 1 is the first. */
  attempt: z.int().min(1),
});
export type DeliveryMessage = z.infer<typeof deliveryMessageSchema>;

/** The same event for the same webhook is the same delivery, however often it is announced. A UUID by its looks. */
export function toDeliveryId(eventId: string, webhookId: string): string {
  const hex = sha256(`${eventId}\n${webhookId}`);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

export function toQueueMessage(message: DeliveryMessage, scheduledFor?: number): OutgoingMessage {
  return {
    id: `${message.deliveryId}.${message.attempt}`,
    subject: message.event,
    body: toBody(message),
    ...(scheduledFor === undefined ? {} : { scheduledFor }),
  };
}

/** What a message asks for; `pauses` counts how often it waited for an outage to pass. */
export type Work = { readonly pauses: number } & (
  | { readonly kind: 'announcement'; readonly announcement: Announcement }
  | { readonly kind: 'delivery'; readonly delivery: DeliveryMessage }
  /** A fact of the topic that is no audit event. */
  | { readonly kind: 'other' }
);

const pausesSchema = z.object({ pauses: z.int().min(0).default(0) });

/** Reads a message of the topic `events` or the queue `webhooks`. @throws INVALID_ARGUMENT for one that is neither */
export function readWork(body: unknown): Work {
  const { pauses } = pausesSchema.catch({ pauses: 0 }).parse(body);
  const announced = announcementSchema.safeParse(body);
  if (announced.success) return { kind: 'announcement', announcement: announced.data, pauses };
  const owed = deliveryMessageSchema.safeParse(body);
  if (owed.success) return { kind: 'delivery', delivery: owed.data, pauses };
  const { type } = validate(z.object({ type: z.string() }), body, 'message');
  if (type === 'audit.event') validate(announcementSchema, body, 'announcement');
  return { kind: 'other', pauses };
}
