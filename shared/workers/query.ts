import { runQueryProcess } from '../adapters/duckdb/querying/processes/worker.ts';

/** The composition root of processes that read tables, as app.ts is the main one's. */
runQueryProcess();
