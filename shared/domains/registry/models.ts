import type { JsonObject } from '../../core/json/json.ts';
import { mlflowTags } from '../../core/names/mlflow-names.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { type Found, type Search, searchDocuments, toFound } from '../../platform/search/search.ts';
import { type Page, type PageRequest, toPage } from '../../platform/storage/page.ts';
import { type BodyChange, changeDescription, changeTag } from './changes.ts';
import {
  asJson,
  container,
  type StoredHead,
  type HeadBody,
  headId,
  replaceHead,
  toModel,
} from './documents.ts';
import type { Model, Tags } from './entities.ts';
import { type NameOwner, registryErrors } from './errors.ts';
import type { ModelDocuments } from './model-documents.ts';
import { checkModelName, checkTag, checkTagKey, checkField } from './rules.ts';
import { modelSubject, scopeOf } from './subjects.ts';

export interface NewModel {
  readonly name: string;
  readonly description?: string;
  readonly tags?: Tags;
}

const readsAtOnce = 16;

/** Whether a model is a prompt. */
export function isPrompt(tags: Tags): boolean {
  return Object.hasOwn(tags, mlflowTags.isPrompt) && tags[mlflowTags.isPrompt]?.toLowerCase() === 'true';
}

/** Registered models: the names under which versions are registered. */
export class Models {
  readonly #documents: ModelDocuments;

  constructor(documents: ModelDocuments) {
    this.#documents = documents;
  }

  /** @throws INVALID_ARGUMENT, ALREADY_EXISTS */
  async create(model: NewModel, by: string): Promise<Model> {
    const { name, description = '', tags = {} } = model;
    checkModelName(name);
    checkField('description', description);
    for (const [key, value] of Object.entries(tags)) checkTag(key, value);
    const { body, isNew } = await this.#documents.change(name, async (head) => {
      if (head) return { body: head.body, isNew: false };
      const created = newHead({ name, description, tags }, this.#now(), by);
      const operation = { kind: 'create', id: headId, body: asJson(created.body) } as const;
      await this.#documents.commit(name, [operation], [created.entry]);
      return { body: created.body, isNew: true };
    });
    // Out here, because the change retries ALREADY_EXISTS as a lost race.
    if (!isNew) throw nameTaken(name, body.tags, tags);
    return toModel(body);
  }

  /** @throws NOT_FOUND */
  async get(name: string): Promise<Model> {
    return toModel((await this.#documents.getHead(name)).body);
  }

  /** Finds models by name; unknown names are left out. */
  async getMany(names: readonly string[]): Promise<ReadonlyMap<string, Model>> {
    const found = new Map<string, Model>();
    const wanted = [...new Set(names)];
    for (let at = 0; at < wanted.length; at += readsAtOnce) {
      const some = wanted.slice(at, at + readsAtOnce);
      const heads = await Promise.all(some.map((name) => this.#documents.findHead(name)));
      for (const head of heads) if (head) found.set(head.partition, toModel(head.body));
    }
    return found;
  }

  /** Whether a name is a prompt's; false for an unknown name. */
  async isPrompt(name: string): Promise<boolean> {
    const head = await this.#documents.findHead(name);
    return head !== undefined && isPrompt(head.body.tags);
  }

  /** Lists models by name. */
  async list(page: PageRequest): Promise<Page<Model>> {
    const found = await this.#documents.store.list<HeadBody & JsonObject>({
      container,
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'model' },
      sort: { path: ['model', 'name'], direction: 'asc' },
      ...page,
    });
    return toPage(found, toModel);
  }

  /** Prompts are found only by filters that mention them. @throws INVALID_ARGUMENT */
  async search(search: Search): Promise<Found<Model>> {
    const page = await searchDocuments<HeadBody & JsonObject>(this.#documents.store, {
      ...search,
      container,
      scope: scopeOf('model', search.filter),
      subject: modelSubject,
    });
    return toFound(page, toModel);
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async update(name: string, description: string, by: string): Promise<Model> {
    checkField('description', description);
    return this.#change(name, ({ body }) =>
      changeDescription(touch(body, this.#now()), description, {
        by,
        action: registryActions.modelUpdated,
        subject: { kind: 'model', model: name },
      }),
    );
  }

  /** Renaming a model to its own name only updates its time. @throws NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT */
  async rename(name: string, newName: string, by: string): Promise<Model> {
    checkModelName(newName, true);
    if (newName === name)
      return this.#change(name, ({ body }) => ({ body: touch(body, this.#now()), entries: [] }));
    await this.#documents.rename(name, newName, by);
    return this.get(newName);
  }

  /** Deletes a model permanently, with its versions and aliases; the name can be reused. @throws NOT_FOUND */
  async remove(name: string, by: string): Promise<void> {
    const { description, tags, latestVersion } = await this.get(name);
    await this.#documents.remove(name, by, { description, tags, latestVersion });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(name: string, key: string, value: string, by: string): Promise<void> {
    checkTag(key, value);
    await this.#changeTag(name, key, value, by, registryActions.modelTagSet);
  }

  /** Deleting an unknown tag is not an error. @throws NOT_FOUND, INVALID_ARGUMENT */
  async deleteTag(name: string, key: string, by: string): Promise<void> {
    checkTagKey(key);
    await this.#changeTag(name, key, null, by, registryActions.modelTagDeleted);
  }

  /** Completes renames and deletions that crashes interrupted. @returns their number */
  async finishInterrupted(): Promise<number> {
    return this.#documents.finishInterrupted();
  }

  async #changeTag(
    name: string,
    key: string,
    value: string | null,
    by: string,
    action: string,
  ): Promise<void> {
    const subject = { kind: 'model', model: name } as const;
    await this.#change(name, ({ body }) => changeTag(body, key, value, { by, action, subject }));
  }

  async #change(name: string, decide: (head: StoredHead) => BodyChange<HeadBody>): Promise<Model> {
    return this.#documents.changeExisting(name, async (head) => {
      const { body, entries } = decide(head);
      if (body !== head.body) await this.#documents.commit(name, [replaceHead(head, body)], entries);
      return toModel(body);
    });
  }

  #now(): number {
    return this.#documents.clock.now();
  }
}

/** The head of a new model, and its event. */
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

function nameTaken(name: string, taken: Tags, wanted: Tags) {
  const ownerOf = (tags: Tags): NameOwner => (isPrompt(tags) ? 'prompt' : 'model');
  return registryErrors.nameTaken({ name, owner: ownerOf(taken), wanted: ownerOf(wanted) });
}
