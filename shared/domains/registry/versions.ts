import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Found, searchDocuments, toFound } from '../../platform/search/search.ts';
import type { BatchOperation } from '../../platform/storage/documents.ts';
import { type Page, type PageRequest, toPage } from '../../platform/storage/page.ts';
import {
  aliasesOf,
  asJson,
  container,
  type Head,
  type HeadBody,
  headId,
  replaceHead,
  replaceVersion,
  runDocumentId,
  type StoredVersion,
  toVersion,
  toVersionBody,
  toView,
  type VersionBody,
  versionId,
} from './documents.ts';
import type { Model, ModelVersion, ModelVersionView, Stage } from './entities.ts';
import { type Models, newHead, type SearchOrder, tagChange } from './models.ts';
import { type Partitions, refuseUnknownVersion } from './partitions.ts';
import { checkDescription, checkTag, checkTagKey, checkUri, toStage } from './rules.ts';
import { scopeOf, versionSubject } from './subjects.ts';

export type NewVersion = Omit<
  ModelVersion,
  'version' | 'stage' | 'createdAt' | 'updatedAt' | 'approval' | 'sha256' | 'sizeBytes'
>;

/** The versions of models: registered, found, described. */
export class Versions {
  readonly #partitions: Partitions;
  readonly #models: Models;

  constructor(partitions: Partitions, models: Models) {
    this.#partitions = partitions;
    this.#models = models;
  }

  /**
   * The next version; its number follows the highest that was ever given out.
   *
   * @param options.once a caller who comes again with the same text gets the version of the first time
   * @param options.createModel makes the model when it is not there
   * @throws NOT_FOUND when there is no such model
   */
  async create(
    candidate: NewVersion,
    options: { readonly once?: string; readonly createModel?: boolean } = {},
  ): Promise<ModelVersionView> {
    const { model } = candidate;
    const { once, createModel = false } = options;
    checkUri('source', candidate.source);
    checkDescription(candidate.description);
    for (const [key, value] of Object.entries(candidate.tags)) checkTag(key, value);
    const attempt = async (head: Head | undefined): Promise<ModelVersion | number> => {
      const known = once === undefined ? undefined : await this.#partitions.findRun(model, once);
      return known ?? this.#append(head, candidate, once);
    };
    const made = await (createModel
      ? this.#partitions.change(model, attempt)
      : this.#partitions.changeExisting(model, attempt));
    return typeof made === 'number' ? this.get(model, made) : { ...made, aliases: [] };
  }

  async #append(
    head: Head | undefined,
    candidate: NewVersion,
    once: string | undefined,
  ): Promise<ModelVersion> {
    const { model, createdBy: by } = candidate;
    const now = this.#now();
    const fresh = head === undefined ? newHead({ name: model }, now, by) : undefined;
    const body = head?.body ?? fresh!.body;
    const number = body.model.latestVersion + 1;
    const version = toVersionBody({
      ...candidate,
      version: number,
      stage: 'None',
      createdAt: now,
      updatedAt: now,
    });
    const next: HeadBody = {
      ...body,
      model: { ...body.model, latestVersion: number, updatedAt: now },
      detail: { ...body.detail, latestByStage: { ...body.detail.latestByStage, None: number } },
    };
    const { source, runId = null, stage } = version.version;
    const { description, tags } = candidate;
    await this.#partitions.commit(
      model,
      [
        head ? replaceHead(head, next) : { kind: 'create', id: headId, body: asJson(next) },
        { kind: 'create', id: versionId(number), body: asJson(version) },
        ...(once === undefined
          ? []
          : [
              {
                kind: 'create',
                id: runDocumentId(once),
                body: { kind: 'run', version: number },
              } satisfies BatchOperation,
            ]),
      ],
      [
        ...(fresh ? [fresh.entry] : []),
        {
          by,
          action: registryActions.versionCreated,
          subject: { kind: 'modelVersion', model, version: number },
          before: null,
          after: { source, runId, description, tags, stage },
        },
      ],
    );
    return toVersion(version);
  }

  /** @throws NOT_FOUND */
  async get(model: string, version: number): Promise<ModelVersionView> {
    const [head, stored] = await Promise.all([
      this.#partitions.findHead(model),
      this.#partitions.findVersion(model, version),
    ]);
    if (!head || !stored) return refuseUnknownVersion(model, version);
    return toView(stored.body, head.body);
  }

  /** Newest first; none for a model that is not there. */
  async list(model: string, page: PageRequest): Promise<Page<ModelVersionView>> {
    const head = await this.#partitions.findHead(model);
    if (head === undefined) return { items: [] };
    const found = await this.#partitions.store.list<VersionBody & JsonObject>({
      container,
      partition: model,
      filter: { op: 'eq', path: ['kind'], value: 'version' },
      sort: { path: ['version', 'version'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => toView(body, head.body));
  }

  /** Across models. Those of prompts are found only when the filter asks for them. @throws INVALID_ARGUMENT */
  async search({ filter, ...order }: SearchOrder): Promise<Found<ModelVersionView>> {
    const page = await searchDocuments<VersionBody & JsonObject>(this.#partitions.store, {
      container,
      scope: scopeOf('version', filter),
      subject: versionSubject,
      ...order,
      ...(filter === undefined ? {} : { filter }),
    });
    const models = await this.#models.getMany(page.documents.map(({ partition }) => partition));
    return toFound(page, (body) => {
      const version = toVersion(body);
      return { ...version, aliases: aliasesOf(models.get(version.model)?.aliases, version.version) };
    });
  }

  /** The newest version in each of the stages (all when none is named) that has one. @throws NOT_FOUND */
  async latest(model: string, inStages: readonly string[] = []): Promise<readonly ModelVersionView[]> {
    const wanted = new Set<Stage>(inStages.map(toStage));
    return this.latestOf(await this.#models.get(model), wanted);
  }

  /** As `latest`, of a model that was just read; versions deleted meanwhile are left out. */
  async latestOf(
    { name, aliases, latestByStage }: Pick<Model, 'name' | 'aliases' | 'latestByStage'>,
    wanted: ReadonlySet<Stage> = new Set(),
  ): Promise<readonly ModelVersionView[]> {
    const numbers = Object.entries(latestByStage)
      .filter(([stage]) => wanted.size === 0 || wanted.has(stage as Stage))
      .map(([, version]) => version);
    const found = await Promise.all(numbers.map((number) => this.#partitions.findVersion(name, number)));
    return found
      .filter((stored) => stored !== undefined)
      .map(({ body }) => {
        const version = toVersion(body);
        return { ...version, aliases: aliasesOf(aliases, version.version) };
      });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async update(model: string, version: number, description: string, by: string): Promise<ModelVersionView> {
    checkDescription(description);
    return this.#change(model, version, ({ body }) => {
      const before = body.detail.description;
      const entry: AuditEntry = {
        by,
        action: registryActions.versionUpdated,
        subject: { kind: 'modelVersion', model, version },
        before: { description: before },
        after: { description },
      };
      return {
        body: { ...this.#touched(body), detail: { ...body.detail, description } },
        entries: before === description ? [] : [entry],
      };
    });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(model: string, version: number, key: string, value: string, by: string): Promise<void> {
    checkTag(key, value);
    await this.#changeTag(model, version, key, value, registryActions.versionTagSet, by);
  }

  /** A tag that is not there is no error. @throws NOT_FOUND, INVALID_ARGUMENT */
  async deleteTag(model: string, version: number, key: string, by: string): Promise<void> {
    checkTagKey(key);
    await this.#changeTag(model, version, key, null, registryActions.versionTagDeleted, by);
  }

  async #changeTag(
    model: string,
    version: number,
    key: string,
    value: string | null,
    action: string,
    by: string,
  ): Promise<void> {
    await this.#change(model, version, ({ body }) =>
      tagChange(body, key, value, (before, after) => ({
        by,
        action,
        subject: { kind: 'modelVersion', model, version },
        before: { tags: before },
        after: { tags: after },
      })),
    );
  }

  async #change(
    model: string,
    version: number,
    decide: (stored: StoredVersion) => {
      readonly body: VersionBody;
      readonly entries: readonly AuditEntry[];
    },
  ): Promise<ModelVersionView> {
    // A version of a model that is not there is an unknown version, not an unknown model: as MLflow says it.
    return this.#partitions.change(model, async (head) => {
      const stored = head && (await this.#partitions.findVersion(model, version));
      if (head === undefined || stored === undefined) return refuseUnknownVersion(model, version);
      const { body, entries } = decide(stored);
      if (body !== stored.body)
        await this.#partitions.commit(
          model,
          [replaceHead(head, head.body), replaceVersion(stored, body)],
          entries,
        );
      return toView(body, head.body);
    });
  }

  #touched(body: VersionBody): VersionBody {
    return { ...body, version: { ...body.version, updatedAt: this.#now() } };
  }

  #now(): number {
    return this.#partitions.pace.clock.now();
  }
}
