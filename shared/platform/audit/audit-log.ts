import { AppError } from '../../core/errors.ts';
import { metadataContainers } from '../../core/names.ts';
import type { FieldPath, Filter, MetadataStore } from '../storage/documents.ts';
import { eachDocument, type Page, type PageRequest } from '../storage/page.ts';
import type { EventPlace } from './announced-event.ts';
import { type AuditEvent, type AuditSubject, type EventBody, toEventIdBound } from './event.ts';
import { mergeSources, openPositions, type Source, sealPositions } from './merged-page.ts';

/** All that is given must be true of an event. */
export interface AuditQuery {
  readonly kind?: AuditSubject['kind'] | undefined;
  readonly experimentId?: string | undefined;
  readonly runId?: string | undefined;
  readonly model?: string | undefined;
  readonly webhookId?: string | undefined;
  readonly dataset?: string | undefined;
  readonly by?: string | undefined;
  readonly action?: string | undefined;
  /** Milliseconds since the Unix epoch: from this on, and before that. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const { tracking, registry, webhooks, datasets } = metadataContainers;

/** Where the events of each kind of subject are. */
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

/** Reads what happened. Events are only ever added: nothing here, or anywhere, changes or removes one. */
export class AuditLog {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Newest first, over all containers that can hold such events. A page can be short, or even empty, and still carry
   * a cursor, which is this query's only.
   *
   * @throws INVALID_ARGUMENT for a cursor of another query
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

/** @returns undefined when there is no such event */
export async function findEvent(store: MetadataStore, place: EventPlace): Promise<AuditEvent | undefined> {
  const { container, partition, eventId } = place;
  const stored = await store.get<EventBody>({ container, partition, id: `event-${eventId}` });
  return stored && toEvent(stored.body);
}

/** When a partition's last event was; undefined when it has none. */
export async function findLastEventAt(
  store: MetadataStore,
  container: string,
  partition: string,
): Promise<number | undefined> {
  const newestFirst = eachDocument<EventBody>(store, {
    container,
    partition,
    filter: { op: 'eq', path: ['kind'], value: 'event' },
    sort: { path: ['event', 'eventId'], direction: 'desc' },
    limit: 1,
  });
  for await (const { body } of newestFirst) return body.event.at;
  return undefined;
}

/** What the query names tells where to look: containers that cannot hold such an event are not asked. */
function findSources({
  kind,
  experimentId,
  runId,
  model,
  webhookId,
  dataset,
}: AuditQuery): readonly Source[] {
  const named: Source[] = [];
  if (experimentId !== undefined) named.push({ container: tracking, partition: experimentId });
  else if (runId !== undefined) named.push({ container: tracking });
  if (model !== undefined) named.push({ container: registry, partition: model });
  if (webhookId !== undefined) named.push({ container: webhooks, partition: webhookId });
  if (dataset !== undefined) named.push({ container: datasets, partition: dataset });
  if (named.length > 1)
    throw new AppError(
      'INVALID_ARGUMENT',
      'No event is about two of: an experiment or run, a model, a webhook, a dataset.',
    );
  const all = [tracking, registry, webhooks, datasets].map((container) => ({ container }));
  return (named.length > 0 ? named : all).filter(
    ({ container }) => kind === undefined || containers[kind] === container,
  );
}

function toFilters(query: AuditQuery): readonly Filter[] {
  const equal = (path: FieldPath, value: string | undefined): readonly Filter[] =>
    value === undefined ? [] : [{ op: 'eq', path, value }];
  const { from, to } = query;
  return [
    { op: 'eq', path: ['kind'], value: 'event' },
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

/** Ids begin with the time: a bound on it is one on them, by which events are sorted anyway. */
function bound(op: 'gte' | 'lt', at: number | undefined): readonly Filter[] {
  return at === undefined ? [] : [{ op, path: ['event', 'eventId'], value: toEventIdBound(at) }];
}
