import { DatabaseSync } from 'node:sqlite';
import { prepare } from '../typed-statement.ts';
import { AppError } from '../../../core/errors.ts';

/**
 * `sb_queues` holds queues and subscriptions: a subscription is a queue that its topic feeds, at the path
 * `topic/Subscriptions/name`. NOCASE, because Service Bus ignores the case of names.
 *
 * `state`: 0 ready, 1 locked until `due_at`, 2 scheduled for `due_at`. With the partial indexes, polling a queue of a
 * million messages takes two index probes.
 */
const schema = `
CREATE TABLE sb_queues (
  queue_id       INTEGER PRIMARY KEY,
  path           TEXT NOT NULL UNIQUE COLLATE NOCASE,
  lock_ms        INTEGER NOT NULL,
  max_deliveries INTEGER NOT NULL
) STRICT;
CREATE TABLE sb_topics (name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE) STRICT, WITHOUT ROWID;
CREATE TABLE sb_subscriptions (
  topic    TEXT NOT NULL COLLATE NOCASE REFERENCES sb_topics (name),
  queue_id INTEGER NOT NULL REFERENCES sb_queues (queue_id),
  PRIMARY KEY (topic, queue_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE sb_messages (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  queue_id         INTEGER NOT NULL REFERENCES sb_queues (queue_id),
  dead             INTEGER NOT NULL,
  state            INTEGER NOT NULL,
  due_at           INTEGER,
  id               TEXT NOT NULL,
  body             TEXT NOT NULL,
  subject          TEXT,
  correlation_id   TEXT,
  properties       TEXT NOT NULL,
  enqueued_at      INTEGER NOT NULL,
  delivery_count   INTEGER NOT NULL,
  lock_token       TEXT,
  dead_reason      TEXT,
  dead_description TEXT
) STRICT;
CREATE INDEX sb_messages_ready ON sb_messages (queue_id, dead, seq) WHERE state = 0;
CREATE INDEX sb_messages_due ON sb_messages (queue_id, due_at) WHERE state <> 0;
CREATE UNIQUE INDEX sb_messages_lock ON sb_messages (lock_token) WHERE lock_token IS NOT NULL;
`;

export interface DatabaseOptions {
  readonly file: string;
  /** How long a statement waits for another process's transaction, blocking this thread. */
  readonly busyTimeoutMs: number;
}

/**
 * Opens the file in WAL mode with `synchronous=NORMAL`: commits survive the death of the process at any moment. A power
 * cut can lose the last commits, but does not corrupt the file.
 *
 * @see https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export function openQueueDatabase({ file, busyTimeoutMs }: DatabaseOptions): DatabaseSync {
  return translateErrors(() => {
    const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864');
      transact(db, () => {
        const exists = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'sb_messages'`).get();
        if (exists === undefined) db.exec(schema);
      });
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}

/** Runs a write transaction. IMMEDIATE waits for other writers at its start, so it does not fail half-way. */
export function transact<T>(db: DatabaseSync, run: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = run();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite itself rolls back after severe errors, such as a full disk.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Runs with a maximum file size, beyond which SQLite reports a full disk. */
export function withMaxSize<T>(db: DatabaseSync, maxSizeBytes: number | undefined, run: () => T): T {
  if (maxSizeBytes === undefined) return run();
  const { page_size: pageBytes } = prepare<{ readonly page_size: number }>(db, 'PRAGMA page_size').get()!;
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxSizeBytes / pageBytes))}`);
  try {
    return run();
  } finally {
    db.exec('PRAGMA max_page_count = 4294967294');
  }
}

/** Translates SQLite's errors into AppErrors. */
export function translateErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw translateError(error);
  }
}

function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const primaryCode = error.errcode & 0xff;
  const sqlite = { sqliteCode: error.errcode };
  switch (primaryCode) {
    case 13: // SQLITE_FULL
      return new AppError('INSUFFICIENT_STORAGE', 'The disk of the local queue is full.', sqlite, error);
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new AppError('UNAVAILABLE', 'Another process is writing to the local queue.', sqlite, error);
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 11: // SQLITE_CORRUPT
    case 14: // SQLITE_CANTOPEN
    case 26: // SQLITE_NOTADB
      return new AppError('UNAVAILABLE', 'Cannot read or write the file of the local queue.', sqlite, error);
    default:
      return error;
  }
}
