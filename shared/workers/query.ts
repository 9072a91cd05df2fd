import { runQueryProcess } from '../adapters/duckdb/querying/processes/worker.ts';

/** The processes that read tables. */
runQueryProcess();
