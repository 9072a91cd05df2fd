import { AppError, toAppError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { BlobStore } from '../../platform/storage/blobs.ts';
import type { Lineage, Model, ModelVersionView, Tags } from './entities.ts';
import { writeModelFolder } from './mlflow-model.ts';
import { isPrompt } from './models.ts';
import { type InspectModel, notChecked, type OpenedModel, openModel } from './open-model.ts';
import { modelBlob, type Registry, type TrainedModel } from './registry.ts';
import { checkModelName, invalid } from './rules.ts';
import {
  artifactFolder,
  checkSource,
  type ModelUri,
  parseModelUri,
  parseRunUri,
  promptSources,
  type SourceModel,
  type SourceRun,
  type TrackingLookup,
} from './sources.ts';
import type { NewVersion } from './versions.ts';

export interface RegistrationRequest {
  readonly model: string;
  /** A URI: `mlflow-artifacts:/…`, `runs:/…`, `models:/…`, or one of another store. */
  readonly source: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
  readonly runLink?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: Tags | undefined;
  /** Makes the model when it is not there. */
  readonly createModel?: boolean;
}

export interface RegistrationOptions {
  readonly registry: Registry;
  readonly blobs: BlobStore;
  readonly inspect: InspectModel;
  readonly lookup: TrackingLookup;
  readonly logger: Logger;
}

interface ResolvedSource {
  readonly source: string;
  readonly storageLocation: string;
  readonly runId?: string | undefined;
  readonly modelId?: string | undefined;
  readonly loggedModel?: SourceModel | undefined;
  /** The version that this one is a copy of. */
  readonly original?: ModelVersionView;
}

/** Makes versions of what was logged: finds it, opens it, and keeps where it came from. */
export class Registration {
  readonly #options: RegistrationOptions;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /**
   * The next version of a model from a source. A model that cannot be served is registered all the same, and says so.
   *
   * @throws NOT_FOUND when there is no such model; INVALID_ARGUMENT for a source that cannot be one
   */
  async register(request: RegistrationRequest, by: string): Promise<ModelVersionView> {
    const { registry, lookup } = this.#options;
    const { model, description = '', tags = {}, runLink, createModel = false } = request;
    // Before anything is read: a name that does not exist costs nothing.
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
    if (modelId) await this.#note(modelId, version, by);
    return version;
  }

  /** As `register`, of what a tracking run logged under a path. @throws NOT_FOUND, too, when there is no such run */
  async registerArtifact(
    request: Omit<RegistrationRequest, 'source'> & { readonly runId: string; readonly artifactPath: string },
    by: string,
  ): Promise<ModelVersionView> {
    const { runId, artifactPath, ...rest } = request;
    const run = await this.#options.lookup.findRun(runId);
    if (run === undefined) throw new AppError('NOT_FOUND', `Run with id=${runId} not found`, { runId });
    const source = `${run.artifactUri}/${artifactPath.replace(/^\/+/, '')}`;
    return this.register({ ...rest, runId, source }, by);
  }

  /**
   * Makes a trained model the next version: writes the directory that MLflow's clients load it from, and opens it.
   * A pipeline run registers one version, however often it comes.
   */
  async registerTrained(trained: TrainedModel): Promise<ModelVersionView> {
    const { registry, blobs, inspect } = this.#options;
    const { model, sha256, sizeBytes } = trained;
    const from = modelBlob(model, sha256);
    const stored = await blobs.head(from);
    if (stored === undefined)
      throw new AppError('UNPROCESSABLE', `The bytes of the trained model "${model}" are gone.`, { sha256 });
    const { serving, signature } = await inspect(stored);
    const source = await writeModelFolder(blobs, { from, sha256, sizeBytes, signature });
    return registry.register({
      ...trained,
      source,
      serving,
      ...(signature === undefined ? {} : { signature }),
    });
  }

  /** The version is there, and a failure now would make the caller register it again. */
  async #note(modelId: string, { model, version }: ModelVersionView, by: string): Promise<void> {
    try {
      await this.#options.lookup.noteVersion(modelId, model, version, by);
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#options.logger.log('warn', 'a logged model was not told of its version', {
        modelId,
        model,
        version,
        code,
        reason: message,
      });
    }
  }

  async #findModel(model: string, createModel: boolean): Promise<Model | undefined> {
    const { models } = this.#options.registry;
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
      if (modelId && modelId !== id) throw refuseSource(source, 'model_id');
      const loggedModel = await this.#options.lookup.findLoggedModel(id);
      if (loggedModel === undefined) throw refuseSource(source, 'model_id');
      return {
        source,
        storageLocation: uri === undefined ? source : loggedModel.artifactLocation,
        runId: runId || loggedModel.sourceRunId,
        modelId: id,
        loggedModel,
      };
    }
    const original = await this.#findVersion(uri);
    if (isPrompt(original.tags))
      throw invalid(
        `Invalid model version source: '${source}'. Prompt versions cannot be used as model version sources.`,
      );
    return {
      source: `models:/${original.model}/${original.version}`,
      storageLocation: original.storageLocation,
      runId: runId || original.runId,
      modelId: modelId || original.modelId,
      original,
    };
  }

  /**
   * Opening a large model takes its time, and who removes runs and models for good waits for those who have just found
   * them, not for so long: so what was found is looked up once more before the version that refers to it is made.
   *
   * @throws NOT_FOUND (the run), INVALID_ARGUMENT (the logged model)
   */
  async #checkNotRemoved(resolved: ResolvedSource, run: SourceRun | undefined): Promise<void> {
    const { lookup } = this.#options;
    const { source, runId, modelId, loggedModel } = resolved;
    if (runId && run !== undefined && (await lookup.findRun(runId)) === undefined)
      throw new AppError('NOT_FOUND', `Run with id=${runId} not found`, { runId });
    if (modelId && loggedModel !== undefined && (await lookup.findLoggedModel(modelId)) === undefined)
      throw refuseSource(source, 'model_id');
  }

  /** @throws NOT_FOUND */
  async #findVersion(uri: Exclude<ModelUri, { kind: 'loggedModel' }>): Promise<ModelVersionView> {
    const { registry } = this.#options;
    // An unknown model is told as such, not as an unknown version.
    await registry.models.get(uri.model);
    switch (uri.kind) {
      case 'version':
        return registry.getVersion(uri.model, uri.version);
      case 'alias':
        return registry.getVersion(uri.model, (await registry.getAlias(uri.model, uri.alias)).version);
      case 'latest':
        return newestOf(uri.model, await registry.versions.latest(uri.model));
      case 'stage':
        return newestOf(uri.model, await registry.versions.latest(uri.model, [uri.stage]));
    }
  }

  async #open({ source, storageLocation, original }: ResolvedSource): Promise<OpenedModel> {
    const { blobs, inspect, lookup } = this.#options;
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
  throw new AppError('NOT_FOUND', `Latest version not found for model ${model}.`, { model });
}

function lineageOf(runId: string | undefined, run: SourceRun | undefined): Lineage {
  if (!runId || run === undefined) return {};
  const { codeVersion, inputs } = run;
  return {
    trackingRunId: runId,
    ...(codeVersion === undefined ? {} : { codeVersion }),
    ...(inputs.length === 0 ? {} : { inputs }),
  };
}

function refuseSource(source: string, parameter: string): AppError {
  return invalid(
    `Invalid model version source: '${source}'. The ${parameter} request parameter must identify the resource that contains the source.`,
  );
}
