import type { WebhookEventName } from './events.ts';

/** A subscription of an external receiver to events; without its secret. */
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

/** Members to change; an empty description or secret removes it. */
export type WebhookChange = { readonly [Member in keyof NewWebhook]?: NewWebhook[Member] | undefined };

/** The delivery of one event to one webhook, with its attempts. */
export interface Delivery {
  /** The same at every attempt, so that receivers can deduplicate. */
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly event: WebhookEventName;
  readonly eventId: string;
  readonly status: DeliveryStatus;
  readonly createdAt: number;
  /** Milliseconds since the Unix epoch. */
  readonly updatedAt: number;
  readonly attempts: readonly Attempt[];
  /** Set while it waits for its next attempt. */
  readonly nextAttemptAt?: number;
  /** Set while it is sent. Once this has passed, its sender is presumed dead and another worker can claim it. */
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
  /** Why the attempt failed. */
  readonly reason?: string;
}
