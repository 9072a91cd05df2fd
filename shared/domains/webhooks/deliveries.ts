import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { metadataContainers } from '../../core/names.ts';
import type { MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { retryConflicts, type RetryDeps } from '../../platform/storage/optimistic.ts';
import { type Page, type PageRequest, toBody, toPage } from '../../platform/storage/page.ts';
import type { Attempt, Delivery } from './entities.ts';
import type { DeliveryMessage } from './messages.ts';

const container = metadataContainers.webhooks;
/** Longer than any message can be on its way: until then a repeated one is known. */
const keptSeconds = 30 * 24 * 3_600;

interface DeliveryBody extends JsonObject {
  readonly kind: 'delivery';
  readonly delivery: Omit<Delivery, 'attempts'> & JsonObject;
  readonly detail: { readonly attempts: readonly (Attempt & JsonObject)[] };
}

/** Who may send a delivery now. */
export type Claim =
  | { readonly kind: 'mine'; readonly delivery: Delivery; readonly etag: string }
  /** Somebody else is sending it until then, or has died over it. */
  | { readonly kind: 'taken'; readonly until: number }
  /** This attempt has been made. */
  | { readonly kind: 'done'; readonly delivery: Delivery };

export interface DeliveriesDeps extends RetryDeps {
  readonly store: Pick<MetadataStore, 'get' | 'create' | 'replace' | 'list'>;
  readonly clock: Clock;
}

/** What was tried, kept beside the webhook for a month. */
export class Deliveries {
  readonly #deps: DeliveriesDeps;

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
  }

  /** Takes an attempt for oneself, before it is made: of two who hold the same message, one sends. */
  async claim(message: DeliveryMessage, forMs: number): Promise<Claim> {
    const key = toKey(message.webhookId, message.deliveryId);
    return retryConflicts('a delivery', this.#deps, async (): Promise<Claim> => {
      const now = this.#deps.clock.now();
      const stored = await this.#deps.store.get<DeliveryBody>(key);
      const known = stored && toDelivery(stored);
      if (known && (known.status === 'delivered' || known.status === 'refused'))
        return { kind: 'done', delivery: known };
      if (known && known.attempts.length >= message.attempt) return { kind: 'done', delivery: known };
      if (known?.status === 'sending' && (known.claimedUntil ?? 0) > now)
        return { kind: 'taken', until: known.claimedUntil ?? now };
      const { deliveryId, webhookId, event, eventId } = message;
      const delivery: Delivery = {
        deliveryId,
        webhookId,
        event,
        eventId,
        createdAt: known?.createdAt ?? now,
        updatedAt: now,
        attempts: known?.attempts ?? [],
        status: 'sending',
        claimedUntil: now + forMs,
      };
      const body = toDeliveryBody(delivery);
      const ttl = { ttlSeconds: keptSeconds };
      const written = stored
        ? await this.#deps.store.replace(key, body, stored.etag, ttl)
        : await this.#deps.store.create(key, body, ttl);
      return { kind: 'mine', delivery, etag: written.etag };
    });
  }

  /** Writes what became of a claimed attempt. @returns false when somebody else has taken it over meanwhile */
  async settle(claim: Extract<Claim, { kind: 'mine' }>, delivery: Delivery): Promise<boolean> {
    const key = toKey(delivery.webhookId, delivery.deliveryId);
    try {
      await this.#deps.store.replace(key, toDeliveryBody(delivery), claim.etag, { ttlSeconds: keptSeconds });
      return true;
    } catch (error) {
      if (isAppError(error, 'PRECONDITION_FAILED') || isAppError(error, 'NOT_FOUND')) return false;
      throw error;
    }
  }

  /** Newest first. */
  async list(webhookId: string, page: PageRequest): Promise<Page<Delivery>> {
    const found = await this.#deps.store.list<DeliveryBody>({
      container,
      partition: webhookId,
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'delivery' },
      sort: { path: ['delivery', 'createdAt'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => ({ ...body.delivery, attempts: body.detail.attempts }));
  }
}

function toKey(webhookId: string, deliveryId: string) {
  return { container, partition: webhookId, id: `delivery-${deliveryId}` };
}

function toDelivery({ body }: StoredDocument<DeliveryBody>): Delivery {
  return { ...body.delivery, attempts: body.detail.attempts };
}

function toDeliveryBody({ attempts, ...delivery }: Delivery): JsonObject {
  return toBody({ kind: 'delivery', delivery, detail: { attempts } });
}
