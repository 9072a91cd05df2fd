import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { Webhook } from './entities.ts';
import { toEnvelope, type WebhookEventName } from './events.ts';
import type { Sender, SendOutcome } from './sending/send.ts';
import { toDeliveryHeaders } from './sending/sign.ts';
import type { Webhooks } from './webhooks.ts';

export interface PostEventDeps {
  readonly webhooks: Pick<Webhooks, 'openSecret'>;
  readonly sender: Sender;
  readonly clock: Pick<Clock, 'now'>;
}

export interface PostedEvent {
  readonly deliveryId: string;
  readonly name: WebhookEventName;
  /** When it happened, in milliseconds since the Unix epoch. */
  readonly at: number;
  readonly payload: JsonObject;
}

/** Sends an event to a webhook's receiver once, signed if the webhook has a secret. */
export async function postEvent(
  { webhooks, sender, clock }: PostEventDeps,
  webhook: Webhook,
  { deliveryId, name, at, payload }: PostedEvent,
): Promise<SendOutcome> {
  const body = JSON.stringify(toEnvelope(name, at, payload));
  let secret: string | undefined;
  try {
    secret = webhook.isSigned ? await webhooks.openSecret(webhook.webhookId) : undefined;
  } catch (error) {
    // Never send it unsigned. A later attempt succeeds if the operator restores the key.
    if (!isAppError(error)) throw error;
    return { kind: 'failed', reason: error.message };
  }
  const timestampSeconds = Math.floor(clock.now() / 1_000);
  return sender.send(webhook.url, toDeliveryHeaders({ deliveryId, body, timestampSeconds, secret }), body);
}
