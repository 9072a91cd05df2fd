import { fromJsonNumber, type JsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { FieldPath } from '../../../platform/storage/documents.ts';
import { type StringMap } from '../documents.ts';
import type { LifecycleStage } from '../entities.ts';
import type { DatasetFilter, LoggedModel, LoggedModelStatus, ModelMetric } from './entities.ts';

/** The latest values, for searches: infinities as ±Number.MAX_VALUE, NaN as a mark in `nan`. */
type Values = {
  readonly metrics: { readonly [key: string]: number };
  readonly nan: { readonly [key: string]: true };
};

/** As in `../documents.ts`, `points` is not indexed, and keys of maps are users' names. */
export type LoggedModelBody = {
  readonly kind: 'loggedModel';
  readonly loggedModel: {
    readonly modelId: string;
    readonly experimentId: string;
    readonly name: string;
    /** Empty when unknown, so that `!=` selects such models, and they sort first. */
    readonly modelType: string;
    readonly status: LoggedModelStatus;
    /** Empty when unknown. */
    readonly sourceRunId: string;
    readonly artifactLocation: string;
    readonly lifecycleStage: LifecycleStage;
    readonly createdAt: number;
    readonly updatedAt: number;
    readonly deletedAt?: number;
  };
  readonly params: StringMap;
  readonly tags: StringMap;
  /** Values by dataset name, and by digest below it. */
  readonly on: {
    readonly [name: string]: Values & { readonly digests: { readonly [digest: string]: Values } };
  };
  readonly points: { readonly series: readonly StoredSeries[] };
} & Values &
  JsonObject;

/** Key, run, dataset name, dataset digest, and the points: timestamp, step, value. */
type StoredSeries = readonly [string, string, string | null, string | null, readonly StoredPoint[]];
type StoredPoint = readonly [number, number, JsonNumber];

/** The path of a member of a model's searchable metrics, over all datasets or of one. */
export function metricPath(member: FieldPath, dataset?: DatasetFilter): FieldPath {
  if (dataset === undefined) return member;
  return dataset.digest === undefined
    ? ['on', dataset.name, ...member]
    : ['on', dataset.name, 'digests', dataset.digest, ...member];
}

/** Exists when a model has a metric on the dataset. */
export function datasetPath(dataset: DatasetFilter): FieldPath {
  return metricPath(['metrics'], dataset);
}

export function toLoggedModel({ loggedModel, params, tags, points }: LoggedModelBody): LoggedModel {
  const { modelType, sourceRunId, ...rest } = loggedModel;
  return {
    ...rest,
    ...(modelType === '' ? {} : { modelType }),
    ...(sourceRunId === '' ? {} : { sourceRunId }),
    params: new Map(Object.entries(params)),
    tags: new Map(Object.entries(tags)),
    metrics: points.series.flatMap(([key, runId, datasetName, datasetDigest, all]) =>
      all.map(([timestamp, step, value]) => ({
        key,
        timestamp,
        step,
        value: fromJsonNumber(value),
        runId,
        ...(datasetName === null ? {} : { datasetName }),
        ...(datasetDigest === null ? {} : { datasetDigest }),
      })),
    ),
  };
}

export function toLoggedModelBody({ params, tags, metrics, ...loggedModel }: LoggedModel): LoggedModelBody {
  const named = Map.groupBy(
    metrics.filter(({ datasetName }) => datasetName !== undefined),
    ({ datasetName }) => datasetName!,
  );
  const on = [...named].map(([name, all]) => {
    const digested = Map.groupBy(
      all.filter(({ datasetDigest }) => datasetDigest !== undefined),
      ({ datasetDigest }) => datasetDigest!,
    );
    const digests = Object.fromEntries([...digested].map(([digest, some]) => [digest, toValues(some)]));
    return [name, { ...toValues(all), digests }] as const;
  });
  return {
    kind: 'loggedModel',
    loggedModel: {
      ...loggedModel,
      modelType: loggedModel.modelType ?? '',
      sourceRunId: loggedModel.sourceRunId ?? '',
    },
    params: Object.fromEntries(params),
    tags: Object.fromEntries(tags),
    ...toValues(metrics),
    on: Object.fromEntries(on),
    points: { series: [...Map.groupBy(metrics, seriesOf).values()].map(toStoredSeries) },
  };
}

function toStoredSeries(points: readonly ModelMetric[]): StoredSeries {
  const { key, runId, datasetName = null, datasetDigest = null } = points[0]!;
  const stored = points.map(({ timestamp, step, value }): StoredPoint => [
    timestamp,
    step,
    toJsonNumber(value),
  ]);
  return [key, runId, datasetName, datasetDigest, stored];
}

/** Identifies the series of one metric by one run on one dataset. */
export function seriesOf({ key, runId, datasetName, datasetDigest }: ModelMetric): string {
  return JSON.stringify([key, runId, datasetName ?? null, datasetDigest ?? null]);
}

/** The latest point of each group. */
export function latestOf(
  metrics: readonly ModelMetric[],
  groupOf: (metric: ModelMetric) => string,
): ReadonlyMap<string, ModelMetric> {
  const latest = new Map<string, ModelMetric>();
  for (const metric of metrics) {
    const group = groupOf(metric);
    const known = latest.get(group);
    if (known === undefined || compareForModel(metric, known) > 0) latest.set(group, metric);
  }
  return latest;
}

function toValues(metrics: readonly ModelMetric[]): Values {
  const numbers: [string, number][] = [];
  const nan: [string, true][] = [];
  for (const [key, { value }] of latestOf(metrics, (metric) => metric.key))
    if (Number.isNaN(value)) nan.push([key, true]);
    else numbers.push([key, Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))]);
  return { metrics: Object.fromEntries(numbers), nan: Object.fromEntries(nan) };
}

/** Orders a model's points by timestamp, step, run (the first is the greatest) and value (NaN is the least). */
export function compareForModel(a: ModelMetric, b: ModelMetric): number {
  return (
    a.timestamp - b.timestamp ||
    a.step - b.step ||
    (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0) ||
    compareValues(a.value, b.value)
  );
}

function compareValues(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}
