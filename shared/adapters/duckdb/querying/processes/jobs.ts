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

interface WithLimits {
  readonly limits: JobLimits;
}

/** The jobs of a query process. */
export interface QueryJobs {
  readonly query: {
    readonly input: WithLimits & { readonly request: QueryRequest };
    readonly output: QueryResult;
  };
  readonly rows: {
    readonly input: WithLimits & { readonly request: RowsRequest };
    readonly output: RowsResult;
  };
  readonly parquet: {
    readonly input: WithLimits & { readonly table: LocalTable; readonly path: string };
    /** The path of the file. */
    readonly output: string;
  };
  /** Writes encoded rows to `bytesDescriptor`, at the reader's pace. */
  readonly encode: {
    readonly input: WithLimits & { readonly format: StreamFormat; readonly columns: readonly Column[] };
    readonly output: undefined;
    /** Requests the path of the next file. */
    readonly report: 'next';
    /** Undefined after the last file. */
    readonly reply: string | undefined;
  };
}
