/** The resources of a job. */
export interface JobLimits {
  readonly memoryLimitMb: number;
  /** The process's own folder, for spilling. */
  readonly folder: string;
  readonly tempLimitMb: number;
}
