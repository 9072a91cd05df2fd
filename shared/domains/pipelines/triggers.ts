import { forEachSettled } from '../../core/async/for-each-settled.ts';
import type { Clock } from '../../core/clock.ts';
import type { AppError } from '../../core/errors.ts';
import { type Ids, sha256 } from '../../core/ids.ts';
import { canonicalJson, type JsonObject } from '../../core/json/json.ts';
import type { Logger } from '../../core/logger.ts';
import { eachItem } from '../../platform/storage/page.ts';
import type { Declarations } from './declarations.ts';
import type { Pipeline, Run } from './entities.ts';
import type { RunStore } from './run-store.ts';
import type { Runs } from './runs.ts';

/** What triggers need to know of datasets. */
export interface DatasetVersions {
  /** @param version a number, `latest`, a tag or a time @throws NOT_FOUND */
  find(dataset: string, version: string): Promise<number>;
  /** @returns undefined when the dataset has no version yet */
  findLatest(dataset: string): Promise<number | undefined>;
}

export interface TriggersDeps {
  readonly store: Pick<RunStore, 'listPipelines' | 'listRuns'>;
  readonly declarations: Pick<Declarations, 'get'>;
  readonly runs: Pick<Runs, 'start' | 'record' | 'requestStart'>;
  readonly versions: DatasetVersions;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** An event that pipelines may wait for. */
export interface DatasetVersionCreated {
  readonly type: 'dataset.version.created';
  readonly dataset: string;
  readonly version: number;
}

export interface HandStart {
  /** The declared version, or else the dataset's newest, when left out. */
  readonly version?: number | undefined;
  /** Two starts with one key are one run. */
  readonly idempotencyKey?: string | undefined;
}

/** A pending run this old has lost its message. */
const pendingPatienceMs = 60_000;
/** A running run this old is worth a question to the engine. */
const runningPatienceMs = 10 * 60_000;

/** What starts the runs of declared pipelines: events, people, and the timer that makes up for lost messages. */
export class Triggers {
  readonly #deps: TriggersDeps;

  constructor(deps: TriggersDeps) {
    this.#deps = deps;
  }

  /**
   * Starts every pipeline that waits for this dataset: delivered at least once, run once. A pipeline that cannot be
   * planned is logged and does not hold up the others.
   */
  async onDatasetVersion(event: DatasetVersionCreated, logger: Logger): Promise<readonly Run[]> {
    const runs: Run[] = [];
    await forEachSettled(
      eachItem((page) => this.#deps.store.listPipelines(page, event.dataset)),
      async (pipeline) => {
        runs.push(await this.#startForVersion(pipeline, event));
      },
      (pipeline, error) => logUnstartable(logger, pipeline, error),
    );
    return runs;
  }

  /**
   * Starts a run by hand. Once the run is recorded the caller has it, even when the message could not be sent: an error
   * would make the caller start another.
   *
   * @throws NOT_FOUND when the pipeline, its dataset or the version does not exist
   */
  async byHand(name: string, request: HandStart, by: string, logger: Logger): Promise<Run> {
    const { declarations, runs, versions, ids } = this.#deps;
    const { definition, steps, params, on } = await declarations.get(name);
    const dataset = on?.dataset ?? params['dataset'];
    const declared = typeof params['version'] === 'number' ? params['version'] : 'latest';
    const given: JsonObject =
      typeof dataset === 'string'
        ? { dataset, version: await versions.find(dataset, String(request.version ?? declared)) }
        : {};
    const run = await runs.record({
      // No pipeline's name has a dot: the ids of two pipelines never meet.
      runId: `${name}.by-hand.${request.idempotencyKey ?? ids.uuid()}`,
      pipeline: name,
      definition,
      steps,
      params,
      given,
      cause: { type: 'started.by.hand', by },
    });
    await runs.requestStart(run).catch((error: unknown) => {
      logger.log('warn', 'start not sent', { runId: run.runId, detail: String(error) });
    });
    return run;
  }

  /**
   * Makes up for lost messages: starts runs that were recorded but not started, records the end of runs that the engine
   * no longer runs, and starts the run of each dataset's newest version that its event should have started. Everything
   * it starts has the id that the event would have given it.
   */
  async reconcile(logger: Logger): Promise<void> {
    const { store, versions, clock } = this.#deps;
    await this.#requestAgain('pending', pendingPatienceMs);
    await this.#requestAgain('running', runningPatienceMs);
    const startNewest = async (pipeline: Pipeline) => {
      const dataset = pipeline.on?.dataset;
      const version = dataset === undefined ? undefined : await versions.findLatest(dataset);
      if (dataset === undefined || version === undefined) return;
      const before = clock.now();
      const run = await this.#startForVersion(pipeline, {
        type: 'dataset.version.created',
        dataset,
        version,
      });
      if (run.createdAt >= before) logger.log('info', 'run reconciled', { runId: run.runId });
    };
    await forEachSettled(
      eachItem((page) => store.listPipelines(page)),
      startNewest,
      (pipeline, error) => logUnstartable(logger, pipeline, error),
    );
  }

  async #requestAgain(status: 'pending' | 'running', patienceMs: number): Promise<void> {
    const { store, runs, clock } = this.#deps;
    const now = clock.now();
    // Listed whole first: starting a run takes it out of the very list that is walked.
    const waiting = await Array.fromAsync(eachItem((page) => store.listRuns(page, { status })));
    for (const run of waiting.filter(({ createdAt }) => createdAt < now - patienceMs))
      await runs.requestStart(run, String(now));
  }

  #startForVersion(pipeline: Pipeline, event: DatasetVersionCreated): Promise<Run> {
    const { name, definition, steps, params } = pipeline;
    const given: JsonObject = { dataset: event.dataset, version: event.version };
    const content = { definition, steps, params: { ...params, ...given } } as JsonObject;
    const fingerprint = sha256(canonicalJson(content)).slice(0, 12);
    return this.#deps.runs.start({
      runId: `${name}-v${event.version}-${fingerprint}`,
      pipeline: name,
      definition,
      steps,
      params,
      given,
      cause: { ...event },
    });
  }
}

function logUnstartable(logger: Logger, { name, definition }: Pipeline, { code, message }: AppError): void {
  logger.log('error', 'pipeline not started', { pipeline: name, definition, code, detail: message });
}
