import { isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';
import { hashSource, type Source } from '../datasets/entities.ts';
import type { Ingestion } from '../datasets/ingestion/ingestion.ts';
import type { Versions } from '../datasets/versions/versions.ts';
import type { BlobRef } from '../../platform/storage/blobs.ts';
import { toBody } from '../../platform/storage/page.ts';
import type { PipelineEngine } from './engine.ts';
import type { Run } from './entities.ts';
import type { PipelineService } from './service.ts';

export interface TriggerOptions {
  readonly pipelines: PipelineService;
  readonly ingestion: Ingestion;
  readonly versions: Pick<Versions, 'find'>;
  readonly ids: Ids;
}

export interface HandStart {
  /** The declared version, or else the dataset's newest, when left out. */
  readonly version?: number | undefined;
  /** Two starts with one key are one run. */
  readonly idempotencyKey?: string | undefined;
}

/** What starts runs besides events: a landed blob, and people. */
export class Triggers {
  readonly #options: TriggerOptions;

  constructor(options: TriggerOptions) {
    this.#options = options;
  }

  /**
   * Starts the ingestion of what is at that place now; the same content is one run, however often it is told.
   *
   * @param into where it is to go, for a blob whose name does not say so
   * @returns undefined when the blob has gone meanwhile, or was refused for its name: there is nothing to do
   */
  async onLanding(
    engine: PipelineEngine,
    ref: BlobRef,
    logger: Logger,
    into?: Source['into'],
  ): Promise<Run | undefined> {
    const { ingestion, pipelines } = this.#options;
    const found = await ingestion.identify(ref).catch(async (error: unknown) => {
      if (isAppError(error, 'NOT_FOUND')) return logger.log('warn', 'the landed blob has gone', { ...ref });
      if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
      // Its name cannot be asked for, now or later: nothing but the refusal is left to keep.
      logger.log('warn', 'the landed blob has a name that cannot be read', { ...ref });
      await ingestion.reject({ ...ref, etag: '', sizeBytes: 0 }, error);
    });
    if (!found) return undefined;
    const source = into ? { ...found, into } : found;
    const content = hashSource(source).slice(0, 24);
    return pipelines.start(engine, {
      runId: `ingest-${content}`,
      pipeline: 'ingest',
      definition: 'ingest',
      params: toBody({ source }),
      given: {},
      cause: { type: 'blob.landed', container: ref.container, name: ref.name },
    });
  }

  /** @throws NOT_FOUND when the pipeline, its dataset or the version does not exist */
  async byHand(engine: PipelineEngine, name: string, request: HandStart, by: string): Promise<Run> {
    const { pipelines, versions, ids } = this.#options;
    const pipeline = await pipelines.get(name);
    const { definition, steps, params } = pipeline;
    const dataset = pipeline.on?.dataset ?? params['dataset'];
    const declared = typeof params['version'] === 'number' ? params['version'] : 'latest';
    const given: JsonObject =
      typeof dataset === 'string'
        ? { dataset, version: await versions.find(dataset, String(request.version ?? declared)) }
        : {};
    return pipelines.start(engine, {
      // No pipeline's name has a dot: the ids of two pipelines never meet.
      runId: `${name}.by-hand.${request.idempotencyKey ?? ids.uuid()}`,
      pipeline: name,
      definition,
      steps,
      params,
      given,
      cause: { type: 'started.by.hand', by },
    });
  }
}
