import type { WebhookEventName } from './events.ts';

/** Somebody outside who wants to hear of events. Their secret is never part of it. */
export interface Webhook {
  readonly webhookId: string;
  readonly name: string;
  readonly url: string;
  readonly description?: string;
  readonly events: readonly WebhookEventName[];
  readonly status: WebhookStatus;
  /** Whether deliveries are signed. */
  readonly isSigned: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const webhookStatuses = ['ACTIVE', 'DISABLED'] as const;
export type WebhookStatus = (typeof webhookStatuses)[number];

export interface NewWebhook {
  readonly name: string;
  readonly url: string;
  readonly events: readonly WebhookEventName[];
  readonly description?: string | undefined;
  readonly secret?: string | undefined;
  readonly status?: WebhookStatus | undefined;
}

/** What is left out stays; an empty description or secret is none. */
export type WebhookChange = { readonly [Member in keyof NewWebhook]?: NewWebhook[Member] | undefined };

/** One event for one webhook, with everything tried so far. */
export interface Delivery {
  /** The same at every attempt: receivers drop what they have seen. */
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly event: WebhookEventName;
  readonly eventId: string;
  readonly status: DeliveryStatus;
  readonly createdAt: number;
  /** When it was last written, in milliseconds since the Unix epoch. */
  readonly updatedAt: number;
  readonly attempts: readonly Attempt[];
  /** While it waits for its next attempt. */
  readonly nextAttemptAt?: number;
  /** While it is sent: another takes it over when this has passed, because its sender died. */
  readonly claimedUntil?: number;
}

export const deliveryStatuses = ['sending', 'waiting', 'delivered', 'refused'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export interface Attempt {
  /** 1 is the first. */
  readonly attempt: number;
  readonly at: number;
  readonly durationMs: number;
  /** The receiver's HTTP status, when it answered. */
  readonly status?: number;
  /** Why it did not count as delivered. */
  readonly reason?: string;
}
