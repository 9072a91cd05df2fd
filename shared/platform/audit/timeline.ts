import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { MetadataStore } from '../storage/documents.ts';
import { eachDocument } from '../storage/page.ts';
import { toEvent } from './audit-log.ts';
import { type AuditEvent, type EventBody, toEventIdBound } from './event.ts';
import { registryActions } from './registry-actions.ts';

/** A version that an alias or stage had at a time. */
export interface ServedVersion {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  readonly by: string;
}

/** The versions of a model's aliases and stages at a time. */
export interface ServingSnapshot {
  readonly aliases: ReadonlyMap<string, ServedVersion>;
  /** The versions of each stage except None, newest first. */
  readonly stages: ReadonlyMap<string, readonly ServedVersion[]>;
}

interface State {
  readonly aliases: Map<string, ServedVersion>;
  readonly versions: Map<number, ServedVersion & { readonly stage: string }>;
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

/** Reconstructs from events which versions a model's aliases and stages had at any time. */
export class Timeline {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /**
   * Replays the model's events up to and including a millisecond, also those under its earlier names.
   *
   * Cost: one read per 1,000 events since the model was created.
   *
   * @param at milliseconds since the Unix epoch
   * @returns an empty snapshot for a model that did not exist then
   */
  async at(model: string, at: number): Promise<ServingSnapshot> {
    const { aliases, versions } = await this.#replay(model, toEventIdBound(at + 1));
    const stages = new Map<string, ServedVersion[]>();
    for (const [, { stage, ...serving }] of [...versions].sort(([a], [b]) => b - a)) {
      if (stage === noStage) continue;
      stages.set(stage, [...(stages.get(stage) ?? []), serving]);
    }
    return { aliases, stages };
  }

  /**
   * @param before an event's id, or a prefix of one
   * @param until another name: stops before the last rename to it
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
      // Terminates, because each step only reads earlier events.
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
          { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
          { op: 'in', path: ['event', 'action'], values: relevant },
          { op: 'compare', test: 'lt', path: ['event', 'eventId'], value: before },
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
