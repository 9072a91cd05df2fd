import { AppError } from '../../core/errors.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { FieldPath, Filter, MetadataStore } from '../storage/documents.ts';
import { eachDocument, type Page, type PageRequest } from '../storage/page.ts';
import type { EventPlace } from './announced-event.ts';
import { type AuditEvent, type AuditSubject, type EventBody, toEventIdBound } from './event.ts';
import { mergeSources, openPositions, type EventSource, sealPositions } from './merged-page.ts';

/** Conditions on events, joined by AND. */
export interface AuditQuery {
  readonly kind?: AuditSubject['kind'] | undefined;
  readonly experimentId?: string | undefined;
  readonly runId?: string | undefined;
  readonly model?: string | undefined;
  readonly webhookId?: string | undefined;
  readonly dataset?: string | undefined;
  readonly by?: string | undefined;
  readonly action?: string | undefined;
  /** Milliseconds since the Unix epoch: `from` is inclusive, `to` is exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const { tracking, registry, webhooks, datasets } = metadataContainers;

/** The container of each kind of subject. */
const containers = {
  experiment: tracking,
  run: tracking,
  loggedModel: tracking,
  model: registry,
  modelVersion: registry,
  alias: registry,
  webhook: webhooks,
  dataset: datasets,
} as const satisfies Record<AuditSubject['kind'], string>;

export const subjectKinds = Object.keys(containers) as readonly AuditSubject['kind'][];

/** Reads events. They are append-only: nothing changes or deletes one. */
export class AuditLog {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Lists events of all containers that can hold them, newest first. A page can be short, or even empty, and still have
   * a cursor.
   *
   * @throws INVALID_ARGUMENT for a cursor of another query, or two subjects that no event has in common
   */
  async list(query: AuditQuery, page: PageRequest): Promise<Page<AuditEvent>> {
    const sources = findSources(query);
    const scope = toFilters(query);
    const positions = openPositions(page.cursor, sources.length, query);
    const merged = await mergeSources(
      this.#store,
      sources.map((source) => ({ ...source, scope })),
      positions,
      page.limit,
    );
    const items = merged.bodies.map(toEvent);
    return merged.positions === undefined
      ? { items }
      : { items, cursor: sealPositions(merged.positions, query) };
  }
}

export function toEvent(body: EventBody): AuditEvent {
  return { ...body.event, ...body.detail };
}

/** @returns undefined for a missing event */
export async function findEvent(
  store: Pick<MetadataStore, 'get'>,
  place: EventPlace,
): Promise<AuditEvent | undefined> {
  const { container, partition, eventId } = place;
  const stored = await store.get<EventBody>({ container, partition, id: `event-${eventId}` });
  return stored && toEvent(stored.body);
}

/** The time of a partition's last event; undefined without events. */
export async function findLastEventAt(
  store: MetadataStore,
  container: string,
  partition: string,
): Promise<number | undefined> {
  const newestFirst = eachDocument<EventBody>(store, {
    container,
    partition,
    filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
    sort: { path: ['event', 'eventId'], direction: 'desc' },
    limit: 1,
  });
  for await (const { body } of newestFirst) return body.event.at;
  return undefined;
}

/** Selects the containers and partitions that can hold matching events. */
function findSources({
  kind,
  experimentId,
  runId,
  model,
  webhookId,
  dataset,
}: AuditQuery): readonly EventSource[] {
  const named: EventSource[] = [];
  if (experimentId !== undefined) named.push({ container: tracking, partition: experimentId });
  else if (runId !== undefined) named.push({ container: tracking });
  if (model !== undefined) named.push({ container: registry, partition: model });
  if (webhookId !== undefined) named.push({ container: webhooks, partition: webhookId });
  if (dataset !== undefined) named.push({ container: datasets, partition: dataset });
  if (named.length > 1)
    throw new AppError(
      'INVALID_ARGUMENT',
      'Name only one of: experiment or run, model, webhook, dataset. No event is about two of them.',
    );
  const all = [tracking, registry, webhooks, datasets].map((container) => ({ container }));
  return (named.length > 0 ? named : all).filter(
    ({ container }) => kind === undefined || containers[kind] === container,
  );
}

function toFilters(query: AuditQuery): readonly Filter[] {
  const equal = (path: FieldPath, value: string | undefined): readonly Filter[] =>
    value === undefined ? [] : [{ op: 'compare', test: 'eq', path, value }];
  const { from, to } = query;
  return [
    { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
    ...equal(['event', 'subject', 'kind'], query.kind),
    ...equal(['event', 'subject', 'experimentId'], query.experimentId),
    ...equal(['event', 'subject', 'runId'], query.runId),
    ...equal(['event', 'subject', 'model'], query.model),
    ...equal(['event', 'subject', 'webhookId'], query.webhookId),
    ...equal(['event', 'subject', 'dataset'], query.dataset),
    ...equal(['event', 'by'], query.by),
    ...equal(['event', 'action'], query.action),
    ...bound('gte', from),
    ...bound('lt', to),
  ];
}

/** A bound on the time is a bound on the id, which begins with it and is the sort key. */
function bound(test: 'gte' | 'lt', at: number | undefined): readonly Filter[] {
  return at === undefined
    ? []
    : [{ op: 'compare', test, path: ['event', 'eventId'], value: toEventIdBound(at) }];
}
