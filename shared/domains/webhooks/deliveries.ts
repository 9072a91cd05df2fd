import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { retryConflicts, type RetryDeps } from '../../platform/storage/optimistic.ts';
import { type Page, type PageRequest, toBody, toPage } from '../../platform/storage/page.ts';
import type { Attempt, Delivery } from './entities.ts';
import type { DeliveryMessage } from './messages.ts';

const container = metadataContainers.webhooks;
/** Outlasts every message, so that a repeated one is recognized. */
const retentionSeconds = 30 * 24 * 3_600;

interface DeliveryBody extends JsonObject {
  readonly kind: 'delivery';
  readonly delivery: Omit<Delivery, 'attempts'> & JsonObject;
  readonly detail: { readonly attempts: readonly (Attempt & JsonObject)[] };
}

export interface Claimed {
  readonly kind: 'claimed';
  readonly delivery: Delivery;
  readonly etag: string;
}

export type Claim =
  | Claimed
  /** Another worker holds the claim until then; it may have died. */
  | { readonly kind: 'held'; readonly until: number }
  /** The attempt was already made. */
  | { readonly kind: 'done'; readonly delivery: Delivery };

export interface DeliveriesDeps extends RetryDeps {
  readonly store: Pick<MetadataStore, 'get' | 'create' | 'replace' | 'list'>;
  readonly clock: Clock;
}

/** Records deliveries and their attempts, in the webhook's partition, for 30 days. */
export class Deliveries {
  readonly #deps: DeliveriesDeps;

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
  }

  /** Claims an attempt before it is made, so that of several workers with the same message only one sends. */
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
        return { kind: 'held', until: known.claimedUntil ?? now };
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
      const ttl = { ttlSeconds: retentionSeconds };
      const written = stored
        ? await this.#deps.store.replace(key, body, stored.etag, ttl)
        : await this.#deps.store.create(key, body, ttl);
      return { kind: 'claimed', delivery, etag: written.etag };
    });
  }

  /** Records the outcome of a claimed attempt. @returns false when another worker has claimed it since */
  async settle(claim: Claimed, delivery: Delivery): Promise<boolean> {
    const key = toKey(delivery.webhookId, delivery.deliveryId);
    try {
      await this.#deps.store.replace(key, toDeliveryBody(delivery), claim.etag, {
        ttlSeconds: retentionSeconds,
      });
      return true;
    } catch (error) {
      if (isAppError(error, 'PRECONDITION_FAILED') || isAppError(error, 'NOT_FOUND')) return false;
      throw error;
    }
  }

  /** Lists a webhook's deliveries, newest first. */
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
