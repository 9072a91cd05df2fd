import type { LifecycleStage, Metric } from '../entities.ts';

export const loggedModelStatuses = ['PENDING', 'READY', 'UPLOAD_FAILED'] as const;
export type LoggedModelStatus = (typeof loggedModelStatuses)[number];

/** A model that a run logged; registering it is a separate step. Times are milliseconds since the Unix epoch. */
export interface LoggedModel {
  /** `m-` and 32 hex digits. */
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType?: string;
  readonly status: LoggedModelStatus;
  /** As given by the client: the run need not exist. */
  readonly sourceRunId?: string;
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly createdAt: number;
  /** Changes with the status and the lifecycle stage only. */
  readonly updatedAt: number;
  readonly deletedAt?: number;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** The latest point of each metric by run and dataset, and the newest of the earlier ones. */
  readonly metrics: readonly ModelMetric[];
}

/** A point of a model's metric, with the run that measured it and the dataset. */
export interface ModelMetric extends Metric {
  readonly runId: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** A point that a run logs for a model. */
export interface MeasuredMetric extends Metric {
  readonly modelId: string;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

/** Selects metrics by dataset; without a digest, by all datasets of that name. */
export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string;
}
