import type { Thrown } from '../../../../core/thrown.ts';
import type {
  LocalTable,
  QueryRequest,
  QueryResult,
  RowsRequest,
  RowsResult,
  StreamFormat,
} from '../../../../domains/datasets/reading/table-engine.ts';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import type { JobLimits } from '../job-limits.ts';

export type Job =
  | ({ readonly kind: 'query' } & QueryRequest)
  | ({ readonly kind: 'rows' } & RowsRequest)
  | { readonly kind: 'parquet'; readonly table: LocalTable; readonly path: string }
  | { readonly kind: 'encode'; readonly format: StreamFormat; readonly columns: readonly Column[] };

export type JobOf<Kind extends Job['kind']> = Extract<Job, { readonly kind: Kind }>;

export interface JobResults {
  readonly query: QueryResult;
  readonly rows: RowsResult;
  /** The path of the file. */
  readonly parquet: string;
  readonly encode: undefined;
}

/** From the owner to the process. */
export type OwnerMessage =
  | { readonly type: 'start'; readonly job: Job; readonly limits: JobLimits }
  | { readonly type: 'abort' }
  /** To an encode job: the next file, or the end. */
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'end' };

/** From the process to its owner. A job ends with exactly one `done` or `failed`. */
export type ProcessMessage =
  /** The process is loaded and waits for a job. */
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly result: JobResults[Job['kind']] }
  | ({ readonly type: 'failed' } & Thrown)
  /** An encode job has finished all files so far, and requests the next. */
  | { readonly type: 'next' }
  /** The process exceeds its memory and kills itself. */
  | { readonly type: 'overMemory'; readonly rssBytes: number };

/** The descriptor for encoded bytes, after stdin, stdout, stderr and the IPC channel. */
export const bytesDescriptor = 4;
