import { sha256 } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { metadataContainers } from '../../core/names.ts';
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
 * What lies in the store. Members under `points` and `detail` are not indexed; every other scalar is, and can be
 * searched: so only what is searched stands there. Names inside the maps are the users' own: a map is made by
 * Object.fromEntries and read by Object.entries, never by assignment (`__proto__` is a legal name of a metric).
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
  /** There while the run is active and RUNNING: what the search for runs that fell silent walks along. */
  readonly running?: { readonly lastWriteAt: number };
  readonly params: StringMap;
  readonly tags: StringMap;
  /** Latest values. Infinities stand as ±Number.MAX_VALUE, to be in their place when sorted; NaN is left out. */
  readonly metrics: { readonly [key: string]: number };
  /** The metrics whose latest value is NaN. */
  readonly nan: { readonly [key: string]: true };
  readonly datasets: {
    readonly name: { readonly [name: string]: true };
    readonly digest: { readonly [digest: string]: true };
    readonly context: { readonly [context: string]: true };
  };
  /** The ids of runs and logged models that its inputs name: what it needs is not to be removed. */
  readonly mentions?: { readonly [id: string]: true };
  readonly points: {
    readonly lastWriteAt: number;
    readonly latest: { readonly [key: string]: LatestPoint };
    /** The newest points of history, not yet in a chunk. */
    readonly tail: readonly TailPoint[];
    /** The number of the chunk that the tail goes to when it is full. */
    readonly open: number;
    readonly datasetInputs: readonly DatasetInput[];
    readonly modelInputs: readonly ModelInput[];
    readonly modelOutputs: readonly ModelOutput[];
  };
} & JsonObject;

/**
 * Some of a run's metric history. `first` and `last` hold the range of timestamps for each bucket of keys, so that an
 * index in order of time leads to the chunks that can hold a key, and to few others.
 */
export type ChunkBody = {
  readonly kind: 'metricChunk';
  readonly first: { readonly [bucket: string]: number };
  readonly last: { readonly [bucket: string]: number };
  /** Columns, in the order of history: timestamp, step, value. */
  readonly points: { readonly [key: string]: PointColumns };
} & JsonObject;

export type PointColumns = {
  readonly t: readonly number[];
  readonly s: readonly number[];
  readonly v: readonly JsonNumber[];
};

/** A number that JSON cannot say. */
export type SpecialNumber = 'NaN' | 'Infinity' | '-Infinity';
export type JsonNumber = number | SpecialNumber;
/** Timestamp and step; the value too, where `metrics` cannot hold it. */
export type LatestPoint = readonly [number, number] | readonly [number, number, SpecialNumber];
/** Key, timestamp, step, value. */
export type TailPoint = readonly [string, number, number, JsonNumber];

/** Where something is that callers know by its id only. Never changes. */
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

/** A run's metric history: a partition of its own. */
export function chunkKey(runId: string, id: string): DocumentKey {
  return { container: tracking, partition: runId, id: `chunk-${id}` };
}

export function runPointerKey(runId: string): DocumentKey {
  return pointerKey(`run-${runId}`);
}

export function loggedModelPointerKey(modelId: string): DocumentKey {
  return pointerKey(`model-${modelId}`);
}

/** Names have characters that ids may not have. */
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

/** @param experiment decides with the run's own stage whether the run counts as deleted */
export function toRun(body: RunBody, experiment: { readonly lifecycleStage: LifecycleStage }): Run {
  const { latest, datasetInputs, modelInputs, modelOutputs } = body.points;
  const metrics = new Map<string, MetricPoint>();
  for (const [key, [timestamp, step, special]] of Object.entries(latest)) {
    // An own member: `latest` has the very keys that `metrics` has, but for NaN.
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

/** @returns how JSON says a number: NaN and infinities by name. */
export function toJsonNumber(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as SpecialNumber);
}

export function fromJsonNumber(value: JsonNumber): number {
  return Number(value);
}
