/** What a job may use. */
export interface JobLimits {
  readonly memoryLimitMb: number;
  /** A folder of the process's own, to spill to. */
  readonly folder: string;
  readonly tempLimitMb: number;
}
