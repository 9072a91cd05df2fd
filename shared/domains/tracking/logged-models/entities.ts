import type { LifecycleStage, Metric } from '../entities.ts';

export const loggedModelStatuses = ['PENDING', 'READY', 'UPLOAD_FAILED'] as const;
export type LoggedModelStatus = (typeof loggedModelStatuses)[number];

/** A model that a run made, before (and whether or not) it is registered. Times: milliseconds since the Unix epoch. */
export interface LoggedModel {
  /** `m-` and 32 hex digits. */
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType?: string;
  readonly status: LoggedModelStatus;
  /** As the client says it: there need not be such a run. */
  readonly sourceRunId?: string;
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly createdAt: number;
  /** Moves with the status and the lifecycle stage only. */
  readonly updatedAt: number;
  readonly deletedAt?: number;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** Of each metric the latest point by run and dataset, and the newest of those before it. */
  readonly metrics: readonly ModelMetric[];
}

/** A metric of a model: which run measured it, and on what. */
export interface ModelMetric extends Metric {
  readonly runId: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** A point that a run logs of a model. */
export interface MeasuredMetric extends Metric {
  readonly modelId: string;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

/** Restricts metrics to those measured on a dataset; without a digest, on any dataset of that name. */
export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string;
}
