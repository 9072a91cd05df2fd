import { AppError } from '../core/errors.ts';
import { blobContainers, metadataContainers } from '../names.ts';
import type { BlobRef } from '../storage/blobs.ts';
import type { MetadataStore } from '../storage/documents.ts';
import { type Pace, retryConflicts } from '../storage/optimistic.ts';
import { eachItem, type Page, type PageRequest, toBody, toPage, type Wrapped } from '../storage/page.ts';
import type { Alias, Model, ModelVersion } from './entities.ts';

const container = metadataContainers.registry;

/**
 * Models, their versions and aliases: one partition per model, so that registering and promoting are atomic. A
 * run registers one version, however often its step is repeated.
 */
export class Registry {
  readonly #store: MetadataStore;
  readonly #pace: Pace;

  constructor(store: MetadataStore, pace: Pace) {
    this.#store = store;
    this.#pace = pace;
  }

  async register(candidate: Omit<ModelVersion, 'version' | 'createdAt'>): Promise<ModelVersion> {
    const { model, lineage } = candidate;
    const runId = `run-${lineage.runId}`;
    return retryConflicts(`the model "${model}"`, this.#pace, async () => {
      const known = await this.#get<'version', number>(model, runId);
      if (known) return this.getVersion(model, known.body.version);
      const head = await this.#get<'model', Model>(model, 'head');
      const createdAt = this.#pace.clock.now();
      const version: ModelVersion = {
        ...candidate,
        version: (head?.body.model.latestVersion ?? 0) + 1,
        createdAt,
      };
      const body = toBody({
        kind: 'model',
        model: { name: model, latestVersion: version.version, updatedAt: createdAt },
      });
      await this.#store.batch(container, model, [
        head ? { kind: 'replace', id: 'head', body, etag: head.etag } : { kind: 'create', id: 'head', body },
        { kind: 'create', id: versionId(version.version), body: toBody({ kind: 'version', version }) },
        { kind: 'create', id: runId, body: { kind: 'run', version: version.version } },
      ]);
      return version;
    });
  }

  /** Points an alias at a version; the same again changes nothing. @throws NOT_FOUND */
  async moveAlias(model: string, name: string, version: number, by: string): Promise<Alias> {
    await this.getVersion(model, version);
    return retryConflicts(`the alias "${name}"`, this.#pace, async () => {
      const before = await this.#get<'alias', Alias>(model, aliasId(name));
      if (before?.body.alias.version === version) return before.body.alias;
      const alias: Alias = {
        model,
        alias: name,
        version,
        previousVersion: before?.body.alias.version ?? null,
        movedAt: this.#pace.clock.now(),
        movedBy: by,
      };
      const key = { container, partition: model, id: aliasId(name) };
      const body = toBody({ kind: 'alias', alias });
      await (before ? this.#store.replace(key, body, before.etag) : this.#store.create(key, body));
      return alias;
    });
  }

  /** @throws NOT_FOUND */
  async getAlias(model: string, name: string): Promise<Alias> {
    const stored = await this.#get<'alias', Alias>(model, aliasId(name));
    if (stored) return stored.body.alias;
    throw new AppError('NOT_FOUND', `The model "${model}" has no alias "${name}".`, { model, alias: name });
  }

  /** @throws NOT_FOUND */
  async getVersion(model: string, version: number): Promise<ModelVersion> {
    const stored = await this.#get<'version', ModelVersion>(model, versionId(version));
    if (stored) return stored.body.version;
    throw new AppError('NOT_FOUND', `The model "${model}" has no version ${version}.`, { model, version });
  }

  async listModels(page: PageRequest): Promise<Page<Model>> {
    const found = await this.#store.list<Wrapped<'model', Model>>({
      container,
      filter: { op: 'eq', path: ['kind'], value: 'model' },
      sort: { path: ['model', 'name'], direction: 'asc' },
      ...page,
    });
    return toPage(found, (body) => body.model);
  }

  /** Newest first. */
  async listVersions(model: string, page: PageRequest): Promise<Page<ModelVersion>> {
    const found = await this.#store.list<Wrapped<'version', ModelVersion>>({
      container,
      partition: model,
      filter: { op: 'eq', path: ['kind'], value: 'version' },
      sort: { path: ['version', 'version'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.version);
  }

  async listAliases(model: string): Promise<readonly Alias[]> {
    return Array.fromAsync(
      eachItem(async (page) =>
        toPage(
          await this.#store.list<Wrapped<'alias', Alias>>({
            container,
            partition: model,
            filter: { op: 'eq', path: ['kind'], value: 'alias' },
            ...page,
          }),
          (body) => body.alias,
        ),
      ),
    );
  }

  #get<Key extends string, T>(partition: string, id: string) {
    return this.#store.get<Wrapped<Key, T>>({ container, partition, id });
  }
}

/** Where a model's bytes are: named by their hash. */
export function modelBlob(model: string, sha256: string): BlobRef {
  return { container: blobContainers.models, name: `${model}/${sha256}.onnx` };
}

const versionId = (version: number) => `version-${String(version).padStart(10, '0')}`;
const aliasId = (name: string) => `alias-${name}`;
