import type { JsonObject, JsonValue } from '../core/json.ts';
import { metadataContainers } from '../names.ts';
import type { MetadataStore } from '../storage/documents.ts';
import { type EventBody, toEvent } from './audit-log.ts';
import { type AuditEvent, toEventIdBound } from './event.ts';
import { registryActions } from './registry-actions.ts';

/** Which version something led to at a time, and since when. */
export interface Serving {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  readonly by: string;
}

/** What a model's names led to at a time. */
export interface Moment {
  readonly aliases: ReadonlyMap<string, Serving>;
  /** Of each version that was in a stage other than None; the newest version first. */
  readonly stages: ReadonlyMap<string, readonly Serving[]>;
}

const relevant: readonly string[] = [
  registryActions.versionCreated,
  registryActions.versionStageChanged,
  registryActions.versionDeleted,
  registryActions.aliasMoved,
  registryActions.aliasDeleted,
  registryActions.modelRenamed,
  registryActions.modelDeleted,
];
const pageSize = 1_000;

/** Answers from events alone what a model's aliases and stages led to at any time. */
export class Timeline {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Replays the model's events, those of the very millisecond included.
   *
   * Cost: one read of up to 1,000 events for each so many moves of the model's whole life before that time.
   *
   * @param at milliseconds since the Unix epoch
   * @returns nothing at all for a model that was not there (yet, or any more)
   */
  async at(model: string, at: number): Promise<Moment> {
    const aliases = new Map<string, Serving>();
    const versions = new Map<number, Serving & { readonly stage: string }>();
    for await (const event of this.#events(model, at)) apply(event, aliases, versions);
    const stages = new Map<string, Serving[]>();
    for (const [, { stage, ...serving }] of [...versions].sort(([a], [b]) => b - a)) {
      if (stage === noStage) continue;
      stages.set(stage, [...(stages.get(stage) ?? []), serving]);
    }
    return { aliases, stages };
  }

  async *#events(model: string, at: number): AsyncGenerator<AuditEvent> {
    let cursor: string | undefined;
    do {
      const page = await this.#store.list<EventBody>({
        container: metadataContainers.registry,
        partition: model,
        filter: {
          op: 'and',
          filters: [
            { op: 'eq', path: ['kind'], value: 'event' },
            { op: 'in', path: ['event', 'action'], values: relevant },
            { op: 'lt', path: ['event', 'eventId'], value: toEventIdBound(at + 1) },
          ],
        },
        sort: { path: ['event', 'eventId'], direction: 'asc' },
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* page.documents.map(({ body }) => toEvent(body));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

const noStage = 'None';

function apply(
  event: AuditEvent,
  aliases: Map<string, Serving>,
  versions: Map<number, Serving & { readonly stage: string }>,
): void {
  const { subject, action, after, at: since, by } = event;
  switch (subject.kind) {
    case 'alias': {
      const version = member(after, 'version');
      if (action === registryActions.aliasDeleted) aliases.delete(subject.alias);
      else if (typeof version === 'number') aliases.set(subject.alias, { version, since, by });
      return;
    }
    case 'modelVersion': {
      const { version } = subject;
      const stage = member(after, 'stage');
      if (action === registryActions.versionDeleted) versions.delete(version);
      else if (typeof stage === 'string') versions.set(version, { version, since, by, stage });
      return;
    }
    case 'model':
      // Renamed: its events go on under the other name.
      if (action !== registryActions.modelDeleted && action !== registryActions.modelRenamed) return;
      aliases.clear();
      versions.clear();
      return;
    case 'experiment':
    case 'run':
    case 'loggedModel':
    case 'webhook':
  }
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return (value as JsonObject)[name];
}
