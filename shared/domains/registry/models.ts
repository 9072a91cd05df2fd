import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Found, searchDocuments, toFound } from '../../platform/search/search.ts';
import type { Page, PageRequest } from '../../platform/storage/page.ts';
import { toPage } from '../../platform/storage/page.ts';
import {
  asJson,
  container,
  type Head,
  type HeadBody,
  headId,
  replaceHead,
  toModel,
  withEntry,
  withoutEntry,
} from './documents.ts';
import type { Model, Tags } from './entities.ts';
import type { Partitions } from './partitions.ts';
import { checkDescription, checkModelName, checkTag, checkTagKey, invalid } from './rules.ts';
import { modelSubject, scopeOf } from './subjects.ts';

export interface NewModel {
  readonly name: string;
  readonly description?: string;
  readonly tags?: Tags;
}

export interface SearchOrder {
  readonly filter?: string;
  readonly orderBy?: readonly string[];
  readonly limit: number;
  readonly pageToken?: string;
}

const promptTag = 'mlflow.prompt.is_prompt';

/** Whether a model is one of MLflow's prompts. */
export function isPrompt(tags: Tags): boolean {
  return Object.hasOwn(tags, promptTag) && tags[promptTag]?.toLowerCase() === 'true';
}

/** Registered models: the names under which versions are kept. */
export class Models {
  readonly #partitions: Partitions;

  constructor(partitions: Partitions) {
    this.#partitions = partitions;
  }

  /** @throws INVALID_ARGUMENT, ALREADY_EXISTS */
  async create(model: NewModel, by: string): Promise<Model> {
    const { name, description = '', tags = {} } = model;
    checkModelName(name);
    checkDescription(description);
    for (const [key, value] of Object.entries(tags)) checkTag(key, value);
    const made = await this.#partitions.change(name, async (head) => {
      if (head) return { body: head.body, isNew: false };
      const { body, entry } = newHead({ name, description, tags }, this.#now(), by);
      await this.#partitions.commit(name, [{ kind: 'create', id: headId, body: asJson(body) }], [entry]);
      return { body, isNew: true };
    });
    if (!made.isNew) refuseTaken(name, made.body.tags, tags);
    return toModel(made.body);
  }

  /** @throws NOT_FOUND */
  async get(name: string): Promise<Model> {
    return toModel((await this.#partitions.getHead(name)).body);
  }

  /** Those that are there, by name. */
  async getMany(names: readonly string[]): Promise<ReadonlyMap<string, Model>> {
    const found = new Map<string, Model>();
    const wanted = [...new Set(names)];
    for (let at = 0; at < wanted.length; at += parallelReads) {
      const some = wanted.slice(at, at + parallelReads);
      const heads = await Promise.all(some.map((name) => this.#partitions.findHead(name)));
      for (const head of heads) if (head) found.set(head.partition, toModel(head.body));
    }
    return found;
  }

  async list(page: PageRequest): Promise<Page<Model>> {
    const found = await this.#partitions.store.list<HeadBody & JsonObject>({
      container,
      filter: { op: 'eq', path: ['kind'], value: 'model' },
      sort: { path: ['model', 'name'], direction: 'asc' },
      ...page,
    });
    return toPage(found, toModel);
  }

  /** Prompts are found only when the filter asks for them. @throws INVALID_ARGUMENT */
  async search({ filter, ...order }: SearchOrder): Promise<Found<Model>> {
    const page = await searchDocuments<HeadBody & JsonObject>(this.#partitions.store, {
      container,
      scope: scopeOf('model', filter),
      subject: modelSubject,
      ...order,
      ...(filter === undefined ? {} : { filter }),
    });
    return toFound(page, toModel);
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async update(name: string, description: string, by: string): Promise<Model> {
    checkDescription(description);
    return this.#change(name, ({ body }) => {
      const { detail } = body;
      if (detail.description === description) return { body: touch(body, this.#now()), entries: [] };
      const entry: AuditEntry = {
        by,
        action: registryActions.modelUpdated,
        subject: { kind: 'model', model: name },
        before: { description: detail.description },
        after: { description },
      };
      return {
        body: { ...touch(body, this.#now()), detail: { ...detail, description } },
        entries: [entry],
      };
    });
  }

  /** Onto its own name it changes nothing but the time. @throws NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT */
  async rename(name: string, newName: string, by: string): Promise<Model> {
    if (newName.trim() === '') throw invalid("Missing value for required parameter 'new_name'.");
    if (newName === name)
      return this.#change(name, ({ body }) => ({ body: touch(body, this.#now()), entries: [] }));
    await this.#partitions.rename(name, newName, by);
    return this.get(newName);
  }

  /** For good, with its versions and aliases; the name can be used again. @throws NOT_FOUND */
  async remove(name: string, by: string): Promise<void> {
    const { description, tags, latestVersion } = await this.get(name);
    await this.#partitions.remove(name, by, { description, tags, latestVersion });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(name: string, key: string, value: string, by: string): Promise<void> {
    checkTag(key, value);
    await this.#change(name, ({ body }) =>
      tagChange(body, key, value, (before, after) => ({
        by,
        action: registryActions.modelTagSet,
        subject: { kind: 'model', model: name },
        before: { tags: before },
        after: { tags: after },
      })),
    );
  }

  /** A tag that is not there is no error. @throws NOT_FOUND, INVALID_ARGUMENT */
  async deleteTag(name: string, key: string, by: string): Promise<void> {
    checkTagKey(key);
    await this.#change(name, ({ body }) =>
      tagChange(body, key, null, (before, after) => ({
        by,
        action: registryActions.modelTagDeleted,
        subject: { kind: 'model', model: name },
        before: { tags: before },
        after: { tags: after },
      })),
    );
  }

  async #change(name: string, decide: (head: Head) => HeadChange): Promise<Model> {
    return this.#partitions.changeExisting(name, async (head) => {
      const { body, entries } = decide(head);
      if (body !== head.body) await this.#partitions.commit(name, [replaceHead(head, body)], entries);
      return toModel(body);
    });
  }

  #now(): number {
    return this.#partitions.pace.clock.now();
  }
}

const parallelReads = 16;

interface HeadChange {
  /** The same as before when nothing changes. */
  readonly body: HeadBody;
  readonly entries: readonly AuditEntry[];
}

/** The head of a new model, and the event that tells of it. */
export function newHead(
  { name, description = '', tags = {} }: NewModel,
  now: number,
  by: string,
): { readonly body: HeadBody; readonly entry: AuditEntry } {
  return {
    body: {
      kind: 'model',
      model: { name, latestVersion: 0, createdAt: now, updatedAt: now },
      tags,
      detail: { description, aliases: {}, latestByStage: {} },
    },
    entry: {
      by,
      action: registryActions.modelCreated,
      subject: { kind: 'model', model: name },
      before: null,
      after: { description, tags },
    },
  };
}

export function touch(body: HeadBody, now: number): HeadBody {
  return { ...body, model: { ...body.model, updatedAt: now } };
}

/** Sets or (null) deletes one tag of a body; the same body when it is so already. */
export function tagChange<Body extends { readonly tags: Tags }>(
  body: Body,
  key: string,
  value: string | null,
  toEntry: (before: JsonObject, after: JsonObject) => AuditEntry,
): { readonly body: Body; readonly entries: readonly AuditEntry[] } {
  const before = Object.hasOwn(body.tags, key) ? body.tags[key]! : null;
  if (before === value) return { body, entries: [] };
  const tags = value === null ? withoutEntry(body.tags, key) : withEntry(body.tags, key, value);
  const member = (text: string | null): JsonObject => Object.fromEntries([[key, text]]);
  return { body: { ...body, tags }, entries: [toEntry(member(before), member(value))] };
}

function refuseTaken(name: string, taken: Tags, wanted: Tags): never {
  const kind = (tags: Tags) => (isPrompt(tags) ? 'Prompt' : 'Registered Model');
  const [old, now] = [kind(taken), kind(wanted)];
  throw new AppError(
    'ALREADY_EXISTS',
    old === now
      ? `${now} (name=${name}) already exists.`
      : `Tried to create a ${now.toLowerCase()} with name '${name}', but the name is already taken by a ${old.toLowerCase()}. A model and a prompt cannot have the same name.`,
    { name },
  );
}
