export type LifecycleStage = 'active' | 'deleted';

/** A group of runs. All times are milliseconds since the Unix epoch. */
export interface Experiment {
  readonly experimentId: string;
  readonly name: string;
  /** The URI that the artifact URIs of its runs begin with. */
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deletedAt?: number;
  readonly tags: ReadonlyMap<string, string>;
}

export const runStatuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** One execution of a user's code. */
export interface Run {
  readonly info: RunInfo;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** The latest point of each metric: the greatest by step, timestamp and value. */
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
  /** `deleted` also while its experiment is deleted. */
  readonly lifecycleStage: LifecycleStage;
  readonly artifactUri: string;
  readonly createdAt: number;
  /** Accurate to a minute. */
  readonly lastWriteAt: number;
  readonly deletedAt?: number;
}

/** One value of a metric. Points are equal when all their members are; NaN equals NaN. */
export interface MetricPoint {
  /** Milliseconds since the Unix epoch, as given by the client. */
  readonly timestamp: number;
  readonly step: number;
  /** Can be NaN or infinite. */
  readonly value: number;
}

/** A point with the name of its metric. */
export interface Metric extends MetricPoint {
  readonly key: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** The inputs and outputs of a run. */
export interface RunLinks {
  readonly datasetInputs: readonly DatasetInput[];
  readonly modelInputs: readonly ModelInput[];
  readonly modelOutputs: readonly ModelOutput[];
}

export interface DatasetInput {
  readonly dataset: DatasetRef;
  /** The tag `mlflowTags.dataContext` names the use. */
  readonly tags: readonly Tag[];
}

/** Identified by name and digest. */
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
