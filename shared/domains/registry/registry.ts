import { blobContainers } from '../../core/names.ts';
import type { BlobRef } from '../../platform/storage/blobs.ts';
import type { Page, PageRequest } from '../../platform/storage/page.ts';
import { sha256 } from '../../core/ids.ts';
import { Aliases } from './aliases.ts';
import { Approvals } from './approvals.ts';
import type { Alias, Model, ModelVersion, ModelVersionView } from './entities.ts';
import { isPrompt, Models } from './models.ts';
import { Partitions, type RegistryStores } from './partitions.ts';
import { Stages } from './stages.ts';
import { Versions } from './versions.ts';

/** What a pipeline registers: a model that it trained, and where that came from. */
export interface TrainedModel extends Pick<ModelVersion, 'model' | 'metrics'> {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly lineage: ModelVersion['lineage'] & { readonly runId: string };
  /** Where its MLflow model directory is; the bytes' own place when left out. */
  readonly source?: string;
  readonly signature?: ModelVersion['signature'];
  readonly serving?: ModelVersion['serving'];
}

/**
 * Models, their versions and aliases: one partition per model, so that registering and promoting are atomic, each
 * change with its event. MLflow's API, the native one, pipelines and scoring all work on this one registry.
 */
export class Registry {
  readonly models: Models;
  readonly versions: Versions;
  readonly stages: Stages;
  readonly aliases: Aliases;
  readonly approvals: Approvals;
  readonly #partitions: Partitions;

  constructor(stores: RegistryStores) {
    this.#partitions = new Partitions(stores);
    this.models = new Models(this.#partitions);
    this.versions = new Versions(this.#partitions, this.models);
    this.stages = new Stages(this.#partitions);
    this.aliases = new Aliases(this.#partitions);
    this.approvals = new Approvals(this.#partitions);
  }

  /** Makes a trained model the next version. A run registers one, however often its step is repeated. */
  async register(trained: TrainedModel): Promise<ModelVersionView> {
    const { model, metrics, lineage, signature } = trained;
    const ref = modelBlob(model, trained.sha256);
    const source = trained.source ?? `${ref.container}/${ref.name}`;
    return this.versions.create(
      {
        model,
        description: '',
        tags: {},
        source,
        storageLocation: source,
        createdBy: `run ${lineage.runId}`,
        file: { ...ref, sha256: trained.sha256, sizeBytes: trained.sizeBytes },
        metrics,
        params: {},
        lineage,
        serving: trained.serving ?? { status: 'notChecked', reason: 'It has not been opened yet.' },
        ...(signature === undefined ? {} : { signature }),
        ...(lineage.trackingRunId === undefined ? {} : { runId: lineage.trackingRunId }),
      },
      { once: lineage.runId, createModel: true },
    );
  }

  /** @see Aliases.move */
  async moveAlias(model: string, name: string, version: number, by: string): Promise<Alias> {
    return this.aliases.move(model, name, version, by);
  }

  /** @throws NOT_FOUND */
  async getAlias(model: string, name: string): Promise<Alias> {
    return this.aliases.get(model, name);
  }

  /** @throws NOT_FOUND */
  async getVersion(model: string, version: number): Promise<ModelVersionView> {
    return this.versions.get(model, version);
  }

  async listModels(page: PageRequest): Promise<Page<Model>> {
    return this.models.list(page);
  }

  /** Newest first. */
  async listVersions(model: string, page: PageRequest): Promise<Page<ModelVersionView>> {
    return this.versions.list(model, page);
  }

  async listAliases(model: string): Promise<readonly Alias[]> {
    return this.aliases.list(model);
  }

  /** Whether a name is that of one of MLflow's prompts; no when there is no such model. */
  async isPrompt(model: string): Promise<boolean> {
    const found = await this.models.getMany([model]);
    return isPrompt(found.get(model)?.tags ?? {});
  }

  /** For a timer: finishes what crashes left half done. @returns how many there were */
  async finishInterrupted(): Promise<number> {
    return this.#partitions.finishInterrupted();
  }
}

/** Where training puts a model's bytes: named by their hash. Blob names are choosier than names of models. */
export function modelBlob(model: string, hash: string): BlobRef {
  const folder = /^[a-z][a-z0-9_-]{0,62}$/.test(model) ? model : `=${sha256(model).slice(0, 40)}`;
  return { container: blobContainers.models, name: `${folder}/${hash}.onnx` };
}
