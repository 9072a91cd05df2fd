import { DatabaseSync } from 'node:sqlite';

/**
 * Opens `host.db`, the host's only durable file: blob receipts and timers (tables `host_*`), the Durable engine (`df_*`)
 * and the queues (`sb_*`). WAL with `synchronous=NORMAL`: a killed process loses no committed transaction.
 */
export function openHostStore(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS host_blob_receipts (
      function TEXT NOT NULL,
      container TEXT NOT NULL,
      blob TEXT NOT NULL,
      etag TEXT NOT NULL,
      failures INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('failing', 'done', 'poison')),
      PRIMARY KEY (function, container, blob)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS host_timers (
      function TEXT NOT NULL PRIMARY KEY,
      last INTEGER,
      next INTEGER NOT NULL,
      last_updated INTEGER NOT NULL
    ) WITHOUT ROWID;
  `);
  return db;
}
