import { AppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { deliverEvent, type DeliverDeps, type DeliverOptions } from './deliver.ts';
import { dispatchEvent, type DispatchDeps } from './dispatch.ts';
import { webhookEvents, type WebhookEventName } from './events.ts';
import { readWork } from './messages.ts';
import { postEvent } from './post-event.ts';
import { postponeWork } from './postpone.ts';
import type { SendOutcome } from './sending/send.ts';
import type { Webhooks } from './webhooks.ts';

export interface WebhookDispatcherDeps extends DispatchDeps, DeliverDeps {
  readonly webhooks: DispatchDeps['webhooks'] & DeliverDeps['webhooks'] & Pick<Webhooks, 'get'>;
  readonly ids: Ids;
}

/** Delivers events to subscribed webhooks: at least once, under a stable delivery id. */
export class WebhookDispatcher {
  readonly #deps: WebhookDispatcherDeps;
  readonly #options: DeliverOptions;

  constructor(deps: WebhookDispatcherDeps, options: DeliverOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Handles a message of the topic `events` or the queue `webhooks`. Transient failures go back to the queue with a
   * delay.
   *
   * @throws errors that a retry cannot help, for the queue `refused`; errors of the queue
   */
  async handle(body: unknown, logger: Logger): Promise<void> {
    const work = readWork(body);
    if (work === undefined) return;
    try {
      if (work.kind === 'announcement') await dispatchEvent(this.#deps, work.announcement);
      else await deliverEvent(this.#deps, this.#options, work.delivery, logger);
    } catch (error) {
      await postponeWork(this.#deps, work, error, logger);
    }
  }

  /**
   * Sends a sample event now, without retries.
   *
   * @param event default: the webhook's first event
   * @throws NOT_FOUND
   */
  async test(webhookId: string, event?: WebhookEventName): Promise<SendOutcome> {
    const { webhooks, clock, ids } = this.#deps;
    const webhook = await webhooks.get(webhookId);
    const name = event ?? webhook.events[0];
    if (name === undefined) throw new AppError('INVALID_ARGUMENT', 'The webhook has no subscriptions.');
    return postEvent(this.#deps, webhook, {
      deliveryId: ids.uuid(),
      name,
      at: clock.now(),
      payload: webhookEvents[name],
    });
  }
}
