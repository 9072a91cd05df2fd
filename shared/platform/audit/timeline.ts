import type { JsonObject, JsonValue } from '../../core/json.ts';
import { metadataContainers } from '../../core/names.ts';
import type { MetadataStore } from '../storage/documents.ts';
import { eachDocument } from '../storage/page.ts';
import { toEvent } from './audit-log.ts';
import { type AuditEvent, type EventBody, toEventIdBound } from './event.ts';
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

interface State {
  readonly aliases: Map<string, Serving>;
  readonly versions: Map<number, Serving & { readonly stage: string }>;
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
   * Replays the model's events, those of the very millisecond included, and those of the names that it had before.
   *
   * Cost: a read for each 1,000 moves of the model's whole life before that time.
   *
   * @param at milliseconds since the Unix epoch
   * @returns nothing at all for a model that was not there (yet, or any more)
   */
  async at(model: string, at: number): Promise<Moment> {
    const { aliases, versions } = await this.#replay(model, toEventIdBound(at + 1));
    const stages = new Map<string, Serving[]>();
    for (const [, { stage, ...serving }] of [...versions].sort(([a], [b]) => b - a)) {
      if (stage === noStage) continue;
      stages.set(stage, [...(stages.get(stage) ?? []), serving]);
    }
    return { aliases, stages };
  }

  /**
   * @param before an event's id, or the beginning of one
   * @param until another name: stops before the (last) renaming to it
   */
  async #replay(model: string, before: string, until?: string): Promise<State> {
    let state: State = { aliases: new Map(), versions: new Map() };
    let atRenaming: State | undefined;
    for await (const event of this.#events(model, before)) {
      const { action, eventId } = event;
      if (action !== registryActions.modelRenamed) {
        apply(event, state);
        continue;
      }
      const to = member(event.after, 'name');
      if (to !== model) {
        if (to === until) atRenaming = state;
        state = { aliases: new Map(), versions: new Map() };
        continue;
      }
      const from = member(event.before, 'name');
      // Only what came before can lead back, so this ends.
      if (typeof from === 'string') state = await this.#replay(from, eventId, model);
    }
    return until === undefined ? state : (atRenaming ?? state);
  }

  async *#events(model: string, before: string): AsyncGenerator<AuditEvent> {
    const documents = eachDocument<EventBody>(this.#store, {
      container: metadataContainers.registry,
      partition: model,
      filter: {
        op: 'and',
        filters: [
          { op: 'eq', path: ['kind'], value: 'event' },
          { op: 'in', path: ['event', 'action'], values: relevant },
          { op: 'lt', path: ['event', 'eventId'], value: before },
        ],
      },
      sort: { path: ['event', 'eventId'], direction: 'asc' },
      limit: pageSize,
    });
    for await (const { body } of documents) yield toEvent(body);
  }
}

const noStage = 'None';

function apply(event: AuditEvent, { aliases, versions }: State): void {
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
      if (action !== registryActions.modelDeleted) return;
      aliases.clear();
      versions.clear();
      return;
    case 'experiment':
    case 'run':
    case 'loggedModel':
    case 'dataset':
    case 'webhook':
  }
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return (value as JsonObject)[name];
}
