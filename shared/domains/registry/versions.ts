import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { type Found, type Search, searchDocuments, toFound } from '../../platform/search/search.ts';
import type { BatchOperation } from '../../platform/storage/documents.ts';
import { type Page, type PageRequest, toPage } from '../../platform/storage/page.ts';
import { type BodyChange, changeDescription, changeTag } from './changes.ts';
import {
  aliasesOf,
  asJson,
  container,
  type StoredHead,
  type HeadBody,
  headId,
  replaceHead,
  replaceVersion,
  registrationId,
  type StoredVersion,
  toVersion,
  toVersionBody,
  toView,
  type VersionBody,
  versionId,
} from './documents.ts';
import type { Model, ModelVersion, ModelVersionView } from './entities.ts';
import type { Stage } from './stage-names.ts';
import { registryErrors } from './errors.ts';
import type { ModelDocuments } from './model-documents.ts';
import { type Models, newHead } from './models.ts';
import { checkTag, checkTagKey, checkField, toStage } from './rules.ts';
import { scopeOf, versionSubject } from './subjects.ts';

export type NewVersion = Omit<
  ModelVersion,
  'version' | 'stage' | 'createdAt' | 'updatedAt' | 'approval' | 'sha256' | 'sizeBytes'
>;

/** Registers, finds and describes versions of models. */
export class ModelVersions {
  readonly #documents: ModelDocuments;
  readonly #models: Pick<Models, 'get' | 'getMany'>;

  constructor(documents: ModelDocuments, models: Pick<Models, 'get' | 'getMany'>) {
    this.#documents = documents;
    this.#models = models;
  }

  /**
   * Registers the next version; its number follows the highest ever issued.
   *
   * @param options.once an idempotency key: a repeated call returns the version of the first
   * @param options.createModel creates a missing model
   * @throws NOT_FOUND for the model; INVALID_ARGUMENT; ALREADY_EXISTS when the key registered another file
   */
  async create(
    candidate: NewVersion,
    options: { readonly once?: string; readonly createModel?: boolean } = {},
  ): Promise<ModelVersionView> {
    const { model } = candidate;
    const { once, createModel = false } = options;
    checkField('source', candidate.source);
    checkField('description', candidate.description);
    for (const [key, value] of Object.entries(candidate.tags)) checkTag(key, value);
    const attempt = async (head: StoredHead | undefined): Promise<ModelVersion | number> => {
      const known = once === undefined ? undefined : await this.#documents.findRegistered(model, once);
      return known ?? this.#append(head, candidate, once);
    };
    const made = await (createModel
      ? this.#documents.change(model, attempt)
      : this.#documents.changeExisting(model, attempt));
    if (typeof made !== 'number') return { ...made, aliases: [] };
    const known = await this.get(model, made);
    if (known.sha256 !== candidate.file?.sha256)
      throw registryErrors.keyReused({ model, version: made, key: once ?? '' });
    return known;
  }

  async #append(
    head: StoredHead | undefined,
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
    await this.#documents.commit(
      model,
      [
        head ? replaceHead(head, next) : { kind: 'create', id: headId, body: asJson(next) },
        { kind: 'create', id: versionId(number), body: asJson(version) },
        ...(once === undefined
          ? []
          : [
              {
                kind: 'create',
                id: registrationId(once),
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
      this.#documents.findHead(model),
      this.#documents.findVersion(model, version),
    ]);
    if (!head || !stored) throw registryErrors.versionMissing({ model, version });
    return toView(stored.body, head.body);
  }

  /** Lists versions, newest first; empty for an unknown model. */
  async list(model: string, page: PageRequest): Promise<Page<ModelVersionView>> {
    const head = await this.#documents.findHead(model);
    if (head === undefined) return { items: [] };
    const found = await this.#documents.store.list<VersionBody & JsonObject>({
      container,
      partition: model,
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'version' },
      sort: { path: ['version', 'version'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => toView(body, head.body));
  }

  /** Searches across models. Versions of prompts are found only by filters that mention them. @throws INVALID_ARGUMENT */
  async search(search: Search): Promise<Found<ModelVersionView>> {
    const page = await searchDocuments<VersionBody & JsonObject>(this.#documents.store, {
      ...search,
      container,
      scope: scopeOf('version', search.filter),
      subject: versionSubject,
    });
    const models = await this.#models.getMany(page.documents.map(({ partition }) => partition));
    return toFound(page, (body) => {
      const version = toVersion(body);
      return { ...version, aliases: aliasesOf(models.get(version.model)?.aliases, version.version) };
    });
  }

  /** The newest version of each stage; by default of all stages. @throws NOT_FOUND */
  async latest(model: string, inStages: readonly string[] = []): Promise<readonly ModelVersionView[]> {
    const wanted = new Set<Stage>(inStages.map(toStage));
    return this.latestOf(await this.#models.get(model), wanted);
  }

  /** As `latest`, for a model that was just read; versions deleted since are left out. */
  async latestOf(
    { name, aliases, latestByStage }: Pick<Model, 'name' | 'aliases' | 'latestByStage'>,
    wanted: ReadonlySet<Stage> = new Set(),
  ): Promise<readonly ModelVersionView[]> {
    const numbers = Object.entries(latestByStage)
      .filter(([stage]) => wanted.size === 0 || wanted.has(stage as Stage))
      .map(([, version]) => version);
    const found = await Promise.all(numbers.map((number) => this.#documents.findVersion(name, number)));
    return found
      .filter((stored) => stored !== undefined)
      .map(({ body }) => {
        const version = toVersion(body);
        return { ...version, aliases: aliasesOf(aliases, version.version) };
      });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async update(model: string, version: number, description: string, by: string): Promise<ModelVersionView> {
    checkField('description', description);
    return this.#change(model, version, ({ body }) =>
      changeDescription(this.#touched(body), description, {
        by,
        action: registryActions.versionUpdated,
        subject: { kind: 'modelVersion', model, version },
      }),
    );
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(model: string, version: number, key: string, value: string, by: string): Promise<void> {
    checkTag(key, value);
    await this.#changeTag(model, version, key, value, registryActions.versionTagSet, by);
  }

  /** Deleting an unknown tag is not an error. @throws NOT_FOUND, INVALID_ARGUMENT */
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
    const subject = { kind: 'modelVersion', model, version } as const;
    await this.#change(model, version, ({ body }) => changeTag(body, key, value, { by, action, subject }));
  }

  async #change(
    model: string,
    version: number,
    decide: (stored: StoredVersion) => BodyChange<VersionBody>,
  ): Promise<ModelVersionView> {
    return this.#documents.change(model, async (head) => {
      const stored = head && (await this.#documents.findVersion(model, version));
      if (head === undefined || stored === undefined) throw registryErrors.versionMissing({ model, version });
      const { body, entries } = decide(stored);
      if (body !== stored.body)
        await this.#documents.commit(
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
    return this.#documents.clock.now();
  }
}
