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

/** One attempt to deliver an event to a webhook. */
const deliveryMessageSchema = eventPlaceSchema.extend({
  deliveryId: z.string().min(1).max(100),
  webhookId: z.string().min(1).max(100),
  event: z.custom<WebhookEventName>((value) => typeof value === 'string' && isWebhookEvent(value)),
  /** 1 is the first. */
  attempt: z.int().min(1),
});
export type DeliveryMessage = z.infer<typeof deliveryMessageSchema>;

/**
 * The id of an event's delivery to a webhook: stable, so that a repeated announcement makes no second delivery.
 * Formatted as a UUID.
 */
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

/** The work that a message requests; `pauses` counts its postponements. */
export type WebhookWork = { readonly pauses: number } & (
  | { readonly kind: 'announcement'; readonly announcement: Announcement }
  | { readonly kind: 'delivery'; readonly delivery: DeliveryMessage }
);

const pausesSchema = z.object({ pauses: z.int().min(0).default(0) });

/**
 * Parses a message of the topic `events` or the queue `webhooks`.
 *
 * @returns undefined for messages of the topic that are not audit events
 * @throws INVALID_ARGUMENT for any other message
 */
export function readWork(body: unknown): WebhookWork | undefined {
  const { pauses } = pausesSchema.catch({ pauses: 0 }).parse(body);
  const announced = announcementSchema.safeParse(body);
  if (announced.success) return { kind: 'announcement', announcement: announced.data, pauses };
  const delivery = deliveryMessageSchema.safeParse(body);
  if (delivery.success) return { kind: 'delivery', delivery: delivery.data, pauses };
  const { type } = validate(z.object({ type: z.string() }), body, 'message');
  if (type === 'audit.event') validate(announcementSchema, body, 'announcement');
  return undefined;
}
