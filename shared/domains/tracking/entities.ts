export type LifecycleStage = 'active' | 'deleted';

/** A folder of runs that answer one question. All times are milliseconds since the Unix epoch. */
export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  /** Where its runs keep their artifacts: the URI that theirs begin with. */
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deletedAt?: number;
  readonly tags: ReadonlyMap<string, string>;
}

export const runStatuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** One execution of somebody's code, as it is told. */
export interface Run {
  readonly info: RunInfo;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** The latest point of each metric: the greatest by (step, timestamp, value). */
  readonly metrics: ReadonlyMap<string, MetricPoint>;
  readonly links: RunLinks;
}

export interface RunInfo {
  readonly runId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startTime: number;
  readonly endTime?: number;
  /** A run of a deleted experiment is deleted as well; restoring the experiment gives the run its own stage back. */
  readonly lifecycleStage: LifecycleStage;
  readonly artifactUri: string;
  readonly createdAt: number;
  /** When it was last written to: correct to a minute. */
  readonly lastWriteAt: number;
  readonly deletedAt?: number;
}

/** One value of a metric. Two points are the same when all their members are; NaN equals NaN. */
export interface MetricPoint {
  /** Milliseconds since the Unix epoch, as the client says. */
  readonly timestamp: number;
  readonly step: number;
  /** NaN and infinities are values. */
  readonly value: number;
}

/** A point under its name. */
export interface Metric extends MetricPoint {
  readonly key: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What a run read and what it made. */
export interface RunLinks {
  readonly datasetInputs: readonly DatasetInput[];
  readonly modelInputs: readonly ModelInput[];
  readonly modelOutputs: readonly ModelOutput[];
}

export interface DatasetInput {
  readonly dataset: DatasetRef;
  /** The tag `mlflow.data.context` says what it was used for. */
  readonly tags: readonly Tag[];
}

/** Identity: name and digest. */
export interface DatasetRef {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string;
  readonly profile?: string;
}

export interface ModelInput {
  readonly modelId: string;
}

export interface ModelOutput {
  readonly modelId: string;
  readonly step: number;
}
