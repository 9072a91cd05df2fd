import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { type Ids, sha256 } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { retryConflicts } from '../../platform/storage/optimistic.ts';
import { eachDocument, type Page, type PageRequest, toBody, toPage } from '../../platform/storage/page.ts';
import type { NewWebhook, Webhook, WebhookChange } from './entities.ts';
import type { WebhookEventName } from './events.ts';
import type { SealedSecret, SecretBox } from './secret-box.ts';
import { readTarget, type TargetPolicy } from './sending/target.ts';

const container = metadataContainers.webhooks;
const maxDescriptionLength = 1_000;
const maxSecretLength = 1_024;

/** `on` has a member for each subscribed event, so that an index finds the subscribers of an event. */
interface WebhookBody extends JsonObject {
  readonly kind: 'webhook';
  readonly webhook: Webhook & JsonObject;
  readonly on: { readonly [event: string]: true };
  readonly detail: { readonly secret: (SealedSecret & JsonObject) | null };
}

export interface WebhooksDeps {
  readonly store: Pick<MetadataStore, 'get' | 'list'>;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface WebhooksOptions {
  readonly targets: TargetPolicy;
}

/** The webhooks, each in a partition of its own together with its deliveries. */
export class Webhooks {
  readonly #deps: WebhooksDeps;
  readonly #targets: TargetPolicy;

  constructor(deps: WebhooksDeps, { targets }: WebhooksOptions) {
    this.#deps = deps;
    this.#targets = targets;
  }

  /** @throws INVALID_ARGUMENT for an invalid name, URL, description or secret, or without events */
  async create(given: NewWebhook, by: string): Promise<Webhook> {
    const { clock, ids } = this.#deps;
    const now = clock.now();
    const webhookId = ids.uuid();
    this.#check(given);
    const webhook: Webhook = {
      webhookId,
      name: given.name,
      url: given.url,
      ...(given.description ? { description: given.description } : {}),
      events: [...new Set(given.events)],
      status: given.status ?? 'ACTIVE',
      isSigned: Boolean(given.secret),
      createdAt: now,
      updatedAt: now,
    };
    const secret = given.secret ? this.#deps.secrets.seal(given.secret, webhookId) : null;
    await this.#deps.audited.commit(
      container,
      webhookId,
      [{ kind: 'create', id: 'webhook', body: toWebhookBody(webhook, secret) }],
      [toEntry(by, 'created', webhookId, null, summarize(webhook))],
    );
    return webhook;
  }

  /** @throws NOT_FOUND */
  async get(webhookId: string): Promise<Webhook> {
    return (await this.#read(webhookId)).body.webhook;
  }

  /** @returns undefined for an unknown or deleted webhook */
  async find(webhookId: string): Promise<Webhook | undefined> {
    return (await this.#deps.store.get<WebhookBody>(toKey(webhookId)))?.body.webhook;
  }

  /** Lists webhooks, newest first. */
  async list(page: PageRequest): Promise<Page<Webhook>> {
    const found = await this.#deps.store.list<WebhookBody>({
      container,
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'webhook' },
      sort: { path: ['webhook', 'createdAt'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.webhook);
  }

  /** Lists active webhooks that subscribe to any of these events. */
  async listSubscribed(events: readonly WebhookEventName[]): Promise<readonly Webhook[]> {
    if (events.length === 0) return [];
    return Array.fromAsync(
      eachDocument<WebhookBody>(this.#deps.store, {
        container,
        filter: {
          op: 'and',
          filters: [
            { op: 'compare', test: 'eq', path: ['webhook', 'status'], value: 'ACTIVE' },
            {
              op: 'or',
              filters: events.map((event) => ({
                op: 'compare',
                test: 'eq',
                path: ['on', event],
                value: true,
              })),
            },
          ],
        },
        limit: 100,
      }),
      ({ body }) => body.webhook,
    );
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT as `create` */
  async update(webhookId: string, change: WebhookChange, by: string): Promise<Webhook> {
    const { audited, clock, secrets } = this.#deps;
    this.#check(change);
    return retryConflicts(`the webhook "${webhookId}"`, this.#deps, async () => {
      const { body, etag } = await this.#read(webhookId);
      const before = body.webhook;
      const { description: _, ...rest } = before;
      const description = change.description ?? before.description;
      const secret =
        change.secret === undefined
          ? body.detail.secret
          : change.secret === ''
            ? null
            : secrets.seal(change.secret, webhookId);
      const after: Webhook = {
        ...rest,
        ...(description ? { description } : {}),
        name: change.name ?? before.name,
        url: change.url ?? before.url,
        events: change.events ? [...new Set(change.events)] : before.events,
        status: change.status ?? before.status,
        isSigned: secret !== null,
        // Clients detect updates by it, so it increases even within one millisecond.
        updatedAt: Math.max(clock.now(), before.updatedAt + 1),
      };
      const changed = findChanges(summarize(before), summarize(after));
      // The event says that the secret changed, not the secret.
      if (change.secret) changed.after['secret'] = 'replaced';
      await audited.commit(
        container,
        webhookId,
        [{ kind: 'replace', id: 'webhook', etag, body: toWebhookBody(after, secret) }],
        [toEntry(by, 'updated', webhookId, changed.before, changed.after)],
      );
      return after;
    });
  }

  /** Deletes a webhook and its secret; its audit events remain. @throws NOT_FOUND */
  async delete(webhookId: string, by: string): Promise<void> {
    await retryConflicts(`the webhook "${webhookId}"`, this.#deps, async () => {
      const { body, etag } = await this.#read(webhookId);
      await this.#deps.audited.commit(
        container,
        webhookId,
        [{ kind: 'delete', id: 'webhook', etag }],
        [toEntry(by, 'deleted', webhookId, summarize(body.webhook), null)],
      );
    });
  }

  /** @returns undefined for a webhook without a secret. @throws NOT_FOUND; UNAVAILABLE without its key */
  async openSecret(webhookId: string): Promise<string | undefined> {
    const { secret } = (await this.#read(webhookId)).body.detail;
    return secret === null ? undefined : this.#deps.secrets.open(secret, webhookId);
  }

  async #read(webhookId: string): Promise<StoredDocument<WebhookBody>> {
    const stored = isWebhookId(webhookId)
      ? await this.#deps.store.get<WebhookBody>(toKey(webhookId))
      : undefined;
    if (stored) return stored;
    throw new AppError('NOT_FOUND', `Webhook with ID ${webhookId.slice(0, 100)} not found.`, { webhookId });
  }

  #check(change: WebhookChange): void {
    const { name, url, events, description, secret } = change;
    if (name !== undefined && !/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i.test(name))
      throw invalid(
        `Webhook name ${JSON.stringify(name.slice(0, 100))} is invalid. It must start and end with a letter or digit, have at most 63 characters, and hold only letters, digits, dots, underscores and hyphens.`,
      );
    if (url !== undefined) readTarget(url, this.#targets);
    if (events?.length === 0) throw invalid('Webhook events must be a non-empty list of events.');
    if (description !== undefined && description.length > maxDescriptionLength)
      throw invalid(`The webhook's description must have at most ${maxDescriptionLength} characters.`);
    if (secret !== undefined && secret.length > maxSecretLength)
      throw invalid(`The webhook's secret must have at most ${maxSecretLength} characters.`);
  }
}

/** Other texts name no webhook, and may be invalid keys of the store. */
function isWebhookId(text: string): boolean {
  return /^[0-9a-f-]{36}$/.test(text);
}

function toKey(webhookId: string) {
  return { container, partition: webhookId, id: 'webhook' };
}

function toWebhookBody(webhook: Webhook, secret: SealedSecret | null): JsonObject {
  const on = Object.fromEntries(webhook.events.map((event) => [event, true]));
  return toBody({ kind: 'webhook', webhook, on, detail: { secret } });
}

function toEntry(
  by: string,
  verb: 'created' | 'updated' | 'deleted',
  webhookId: string,
  before: JsonObject | null,
  after: JsonObject | null,
): AuditEntry {
  return { by, action: `webhook.${verb}`, subject: { kind: 'webhook', webhookId }, before, after };
}

/** For audit events, which more roles can read: paths are often secret, so they appear as a fingerprint. */
function summarize(webhook: Webhook): JsonObject {
  const { name, url, events, status, description, isSigned } = webhook;
  const target = `${new URL(url).origin}/#${sha256(url).slice(0, 8)}`;
  return { name, target, events, status, description: description ?? null, isSigned };
}

function findChanges(before: JsonObject, after: JsonObject) {
  const names = Object.keys(after).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const pick = (from: JsonObject): Record<string, JsonObject[string]> =>
    Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}

function invalid(message: string): AppError {
  return new AppError('INVALID_ARGUMENT', message);
}
