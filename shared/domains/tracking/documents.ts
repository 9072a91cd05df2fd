import type { JsonNumber, SpecialNumber } from '../../core/json/json-number.ts';
import { sha256 } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { DocumentKey } from '../../platform/storage/documents.ts';
import type {
  DatasetInput,
  Experiment,
  LifecycleStage,
  MetricPoint,
  ModelInput,
  ModelOutput,
  Run,
  RunInfo,
} from './entities.ts';

/*
 * The stored documents. Every scalar is indexed, for searches, except below `points` and `detail`. Keys of maps are
 * users' names: build maps by Object.fromEntries and read them by Object.entries, never by assignment, because
 * `__proto__` is a legal metric name.
 */

export type StringMap = { readonly [key: string]: string };

export type ExperimentBody = {
  readonly kind: 'experiment';
  readonly experiment: Omit<Experiment, 'tags'>;
  readonly tags: StringMap;
} & JsonObject;

export type RunBody = {
  readonly kind: 'run';
  /** `lifecycleStage` is the run's own: the experiment's is in the experiment's document. */
  readonly run: Omit<RunInfo, 'lastWriteAt'>;
  /** Present while the run is active and RUNNING: the index that the sweep for silent runs walks. */
  readonly running?: { readonly lastWriteAt: number };
  readonly params: StringMap;
  readonly tags: StringMap;
  /** Latest values. Infinities are ±Number.MAX_VALUE, so that they sort right; NaN is in `nan`. */
  readonly metrics: { readonly [key: string]: number };
  /** Metrics whose latest value is NaN. */
  readonly nan: { readonly [key: string]: true };
  readonly datasets: {
    readonly name: { readonly [name: string]: true };
    readonly digest: { readonly [digest: string]: true };
    readonly context: { readonly [context: string]: true };
  };
  /** Ids of runs and logged models among its inputs: retention keeps those. */
  readonly mentions?: { readonly [id: string]: true };
  readonly points: {
    readonly lastWriteAt: number;
    readonly latest: { readonly [key: string]: LatestPoint };
    /** The newest points of the history, not yet in a chunk. */
    readonly tail: readonly TailPoint[];
    /** The number of the chunk that a full tail is moved to. */
    readonly open: number;
    readonly datasetInputs: readonly DatasetInput[];
    readonly modelInputs: readonly ModelInput[];
    readonly modelOutputs: readonly ModelOutput[];
  };
} & JsonObject;

/**
 * A part of a run's metric history. `first` and `last` hold the time range of each bucket of keys, so that the index by
 * time finds the chunks that can contain a key.
 */
export type ChunkBody = {
  readonly kind: 'metricChunk';
  readonly first: { readonly [bucket: string]: number };
  readonly last: { readonly [bucket: string]: number };
  /** Columns of timestamps, steps and values, in the order of the history. */
  readonly points: { readonly [key: string]: PointColumns };
} & JsonObject;

export type PointColumns = {
  readonly t: readonly number[];
  readonly s: readonly number[];
  readonly v: readonly JsonNumber[];
};

/** Timestamp and step, and the value if `metrics` cannot hold it. */
export type LatestPoint = readonly [number, number] | readonly [number, number, SpecialNumber];
/** Key, timestamp, step, value. */
export type TailPoint = readonly [string, number, number, JsonNumber];

/** The partition of an object that callers know by its id. Immutable. */
export type PointerBody = { readonly experimentId: string } & JsonObject;

const { tracking, index } = metadataContainers;

export function experimentKey(experimentId: string): DocumentKey {
  return { container: tracking, partition: experimentId, id: 'experiment' };
}

export function runKey(experimentId: string, runId: string): DocumentKey {
  return { container: tracking, partition: experimentId, id: `run-${runId}` };
}

export function loggedModelKey(experimentId: string, modelId: string): DocumentKey {
  return { container: tracking, partition: experimentId, id: `model-${modelId}` };
}

/** A run's metric history has its own partition. */
export function chunkKey(runId: string, id: string): DocumentKey {
  return { container: tracking, partition: runId, id: `chunk-${id}` };
}

export function runPointerKey(runId: string): DocumentKey {
  return pointerKey(`run-${runId}`);
}

export function loggedModelPointerKey(modelId: string): DocumentKey {
  return pointerKey(`model-${modelId}`);
}

/** Hashed, because names contain characters that ids must not. */
export function experimentNameKey(name: string): DocumentKey {
  return pointerKey(`experiment-name-${sha256(name)}`);
}

function pointerKey(id: string): DocumentKey {
  return { container: index, partition: id, id };
}

export function toExperiment({ experiment, tags }: ExperimentBody): Experiment {
  return { ...experiment, tags: new Map(Object.entries(tags)) };
}

export function toExperimentBody({ tags, ...experiment }: Experiment): ExperimentBody {
  return { kind: 'experiment', experiment, tags: Object.fromEntries(tags) };
}

/** @param experiment a run of a deleted experiment counts as deleted */
export function toRun(body: RunBody, experiment: { readonly lifecycleStage: LifecycleStage }): Run {
  const { latest, datasetInputs, modelInputs, modelOutputs } = body.points;
  const metrics = new Map<string, MetricPoint>();
  for (const [key, [timestamp, step, special]] of Object.entries(latest)) {
    // An own member: `metrics` has every key of `latest` whose value is finite.
    const value = special === undefined ? body.metrics[key]! : Number(special);
    metrics.set(key, { timestamp, step, value });
  }
  const lifecycleStage = experiment.lifecycleStage === 'deleted' ? 'deleted' : body.run.lifecycleStage;
  return {
    info: { ...body.run, lifecycleStage, lastWriteAt: body.points.lastWriteAt },
    params: new Map(Object.entries(body.params)),
    tags: new Map(Object.entries(body.tags)),
    metrics,
    links: { datasetInputs, modelInputs, modelOutputs },
  };
}
