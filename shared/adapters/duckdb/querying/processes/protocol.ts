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
  /** To a job that encodes: the next file, or that there is none. */
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'end' };

/** From the process to its owner. Exactly one `done` or `failed` ends a job. */
export type ProcessMessage =
  /** It has been loaded, and waits for its first job. */
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly result: JobResults[Job['kind']] }
  | ({ readonly type: 'failed' } & Thrown)
  /** A job that encodes has written all of the files so far: it needs none of them any more. */
  | { readonly type: 'next' }
  /** It holds too much memory, and kills itself. */
  | { readonly type: 'overMemory'; readonly rssBytes: number };

/** Where the process writes encoded bytes to: behind stdin, stdout, stderr and the channel of messages. */
export const bytesDescriptor = 4;
