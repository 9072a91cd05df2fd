import { AppError, toAppError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { promptSources } from '../../core/names/mlflow-names.ts';
import type { BlobLister, BlobReader, BlobRef } from '../../platform/storage/blobs.ts';
import type { ModelLineage, Model, ModelSignature, ModelVersionView, Tags } from './entities.ts';
import { registryErrors } from './errors.ts';
import { isPrompt } from './models.ts';
import { type InspectModel, notChecked, type OpenedModel, openModel } from './open-model.ts';
import type { Registry } from './registry.ts';
import { checkModelName } from './rules.ts';
import {
  artifactFolder,
  checkSource,
  type ModelUri,
  parseModelUri,
  parseRunUri,
  type SourceModel,
  type SourceRun,
  type TrackingLookup,
} from './sources.ts';
import { modelBlob, toNewVersion, type TrainedVersion } from './trained-version.ts';
import type { NewVersion } from './versions.ts';

export interface RegistrationRequest {
  readonly model: string;
  /** A URI: of the platform's artifacts, `runs:/…`, `models:/…`, or of another store. */
  readonly source: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
  readonly runLink?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: Tags | undefined;
  /** Creates a missing model. */
  readonly createModel?: boolean;
}

/** A stored model file, for clients to load. */
export interface StoredModel {
  readonly from: BlobRef;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly signature: ModelSignature | undefined;
}

export interface RegistrationDeps {
  readonly registry: Pick<Registry, 'models' | 'versions' | 'aliases'>;
  readonly blobs: Pick<BlobReader, 'head'> & BlobLister;
  readonly inspect: InspectModel;
  /** Writes the directory that clients load a trained model from, and returns its URI. Idempotent. */
  readonly writeModelFolder: (model: StoredModel) => Promise<string>;
  readonly lookup: TrackingLookup;
  readonly logger: Logger;
}

interface ResolvedSource {
  readonly source: string;
  readonly storageLocation: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
  readonly loggedModel?: SourceModel | undefined;
  /** The version to copy. */
  readonly original?: ModelVersionView;
}

/** Registers versions from what was logged or trained: resolves the source, opens the model, records the lineage. */
export class Registration {
  readonly #deps: RegistrationDeps;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /**
   * Registers the next version of a model from a source. A model that cannot be served is registered too, and marked so.
   *
   * @throws NOT_FOUND for the model or the run; INVALID_ARGUMENT for the source
   */
  async register(request: RegistrationRequest, by: string): Promise<ModelVersionView> {
    const { registry, lookup } = this.#deps;
    const { model, description = '', tags = {}, runLink, createModel = false } = request;
    // First, because an unknown name must not cost reads.
    const registered = await this.#findModel(model, createModel);
    const resolved = await this.#resolve(request, isPrompt(tags) || isPrompt(registered?.tags ?? {}));
    const { source, storageLocation, runId, modelId, loggedModel, original } = resolved;
    const run = runId ? await lookup.findRun(runId) : undefined;
    const opened = await this.#open(resolved);
    await this.#checkNotRemoved(resolved, run);
    const candidate: NewVersion = {
      model,
      description,
      tags,
      source,
      storageLocation,
      createdBy: by,
      metrics: loggedModel?.metrics ?? original?.metrics ?? {},
      params: loggedModel?.params ?? original?.params ?? {},
      lineage: original?.lineage ?? lineageOf(runId, run),
      ...opened,
      ...(runId ? { runId } : {}),
      ...(modelId ? { modelId } : {}),
      ...(runLink ? { runLink } : {}),
    };
    const version = await registry.versions.create(candidate, { createModel });
    if (modelId) await this.#reportVersion(modelId, version, by);
    return version;
  }

  /** As `register`, from an artifact of a tracking run. @throws NOT_FOUND also for the run */
  async registerArtifact(
    request: Omit<RegistrationRequest, 'source'> & { readonly runId: string; readonly artifactPath: string },
    by: string,
  ): Promise<ModelVersionView> {
    const { runId, artifactPath, ...rest } = request;
    const run = await this.#deps.lookup.findRun(runId);
    if (run === undefined) throw registryErrors.sourceRunMissing({ runId });
    const source = `${run.artifactUri}/${artifactPath.replace(/^\/+/, '')}`;
    return this.register({ ...rest, runId, source }, by);
  }

  /**
   * Registers a trained model as the next version: opens it, and writes the directory that clients load it from.
   *
   * @param once an idempotency key: a repeated call returns the version of the first
   * @throws UNPROCESSABLE when the bytes of the model are missing; ALREADY_EXISTS when the key registered other bytes
   */
  async registerTrained(trained: TrainedVersion, once: string): Promise<ModelVersionView> {
    const { registry, blobs, inspect, writeModelFolder } = this.#deps;
    const { model, sha256, sizeBytes } = trained;
    const from = modelBlob(model, sha256);
    const stored = await blobs.head(from);
    if (stored === undefined)
      throw new AppError('UNPROCESSABLE', `The file of the trained model "${model}" is missing.`, { sha256 });
    const { serving, signature } = await inspect(stored);
    const source = await writeModelFolder({ from, sha256, sizeBytes, signature });
    const candidate = toNewVersion({
      ...trained,
      source,
      serving,
      ...(signature === undefined ? {} : { signature }),
    });
    return registry.versions.create(candidate, { once, createModel: true });
  }

  /** Does not throw: the version exists, and a failure would make the caller register it again. */
  async #reportVersion(modelId: string, { model, version }: ModelVersionView, by: string): Promise<void> {
    try {
      await this.#deps.lookup.noteVersion(modelId, model, version, by);
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#deps.logger.log('warn', 'version not recorded on its logged model', {
        modelId,
        model,
        version,
        code,
        reason: message,
      });
    }
  }

  async #findModel(model: string, createModel: boolean): Promise<Model | undefined> {
    const { models } = this.#deps.registry;
    if (!createModel) return models.get(model);
    checkModelName(model);
    return (await models.getMany([model])).get(model);
  }

  async #resolve(request: RegistrationRequest, isPromptVersion: boolean): Promise<ResolvedSource> {
    const { source, runId, modelId } = request;
    if (isPromptVersion && promptSources.has(source)) return { source, storageLocation: source, runId };
    checkSource(source);
    const uri = parseModelUri(source);
    if (uri === undefined || uri.kind === 'loggedModel') {
      const id = uri?.modelId ?? modelId;
      if (!id) return { source, storageLocation: source, runId };
      if (modelId && modelId !== id) throw registryErrors.sourceNotOfModel({ source });
      const loggedModel = await this.#deps.lookup.findLoggedModel(id);
      if (loggedModel === undefined) throw registryErrors.sourceNotOfModel({ source });
      return {
        source,
        storageLocation: uri === undefined ? source : loggedModel.artifactLocation,
        runId: runId || loggedModel.sourceRunId,
        modelId: id,
        loggedModel,
      };
    }
    const original = await this.#findVersion(uri);
    if (isPrompt(original.tags)) throw registryErrors.sourceIsPrompt({ source });
    return {
      source: `models:/${original.model}/${original.version}`,
      storageLocation: original.storageLocation,
      runId: runId || original.runId,
      modelId: modelId || original.modelId,
      original,
    };
  }

  /**
   * Opening a model can outlast the purge's grace period, so look the run and the logged model up again before the
   * version refers to them.
   *
   * @throws NOT_FOUND for the run; INVALID_ARGUMENT for the logged model
   */
  async #checkNotRemoved(resolved: ResolvedSource, run: SourceRun | undefined): Promise<void> {
    const { lookup } = this.#deps;
    const { source, runId, modelId, loggedModel } = resolved;
    if (runId && run !== undefined && (await lookup.findRun(runId)) === undefined)
      throw registryErrors.sourceRunMissing({ runId });
    if (modelId && loggedModel !== undefined && (await lookup.findLoggedModel(modelId)) === undefined)
      throw registryErrors.sourceNotOfModel({ source });
  }

  /** @throws NOT_FOUND */
  async #findVersion(uri: Exclude<ModelUri, { kind: 'loggedModel' }>): Promise<ModelVersionView> {
    const { registry } = this.#deps;
    // So that an unknown model is not reported as an unknown version.
    await registry.models.get(uri.model);
    switch (uri.kind) {
      case 'version':
        return registry.versions.get(uri.model, uri.version);
      case 'alias':
        return registry.versions.get(uri.model, (await registry.aliases.get(uri.model, uri.alias)).version);
      case 'latest':
        return newestOf(uri.model, await registry.versions.latest(uri.model));
      case 'stage':
        return newestOf(uri.model, await registry.versions.latest(uri.model, [uri.stage]));
    }
  }

  async #open({ source, storageLocation, original }: ResolvedSource): Promise<OpenedModel> {
    const { blobs, inspect, lookup } = this.#deps;
    if (original?.file)
      return {
        serving: original.serving,
        file: original.file,
        ...(original.signature === undefined ? {} : { signature: original.signature }),
      };
    if (promptSources.has(source)) return notChecked('It is a prompt.');
    const inRun = parseRunUri(storageLocation);
    const run = inRun && (await lookup.findRun(inRun.runId));
    const folder = artifactFolder(inRun && run ? `${run.artifactUri}/${inRun.path}` : storageLocation);
    if (folder === undefined) return notChecked("Its source is not in this platform's storage.");
    return openModel(blobs, inspect, folder);
  }
}

/** @throws NOT_FOUND */
export function newestOf(model: string, versions: readonly ModelVersionView[]): ModelVersionView {
  const [newest] = [...versions].sort((a, b) => b.version - a.version);
  if (newest) return newest;
  throw registryErrors.stageEmpty({ model });
}

function lineageOf(runId: string | undefined, run: SourceRun | undefined): ModelLineage {
  if (!runId || run === undefined) return {};
  const { codeVersion, inputs } = run;
  return {
    trackingRunId: runId,
    ...(codeVersion === undefined ? {} : { codeVersion }),
    ...(inputs.length === 0 ? {} : { inputs }),
  };
}
