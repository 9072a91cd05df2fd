import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SQLInputValue } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { AppError, isAppError } from '../../../core/errors.ts';
import { Lru } from '../../../core/lru.ts';
import { rateLimited } from '../../../platform/storage/document-rules.ts';
import { prepare, type TypedStatement } from '../typed-statement.ts';
import { migrations, schemaVersion } from './schema.ts';

export type SqlValue = SQLInputValue;

export interface DatabaseOptions {
  /** Created, with its directories, when it is missing. */
  readonly file: string;
  /** How long a write blocks the thread while another process writes. */
  readonly busyTimeoutMs: number;
  /** The file may not grow beyond this. */
  readonly maxSizeBytes?: number;
}

/** SQLite's own limit on the pages of a file. */
const mostPages = 4_294_967_294;

/**
 * An SQLite file: a bounded cache of prepared statements, transactions, and the port's errors. Callers vouch that the
 * columns that they select make a `Row`.
 */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Lru<string, TypedStatement<unknown>>({ maxCost: 64 });
  #maxPages = mostPages;

  /** @throws UNAVAILABLE when the file is not a database, cannot be opened or was written by a newer version */
  constructor(options: DatabaseOptions) {
    this.#database = translating(() => {
      mkdirSync(dirname(options.file), { recursive: true });
      return new DatabaseSync(options.file, { timeout: options.busyTimeoutMs });
    });
    try {
      translating(() => this.#prepare(options));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #prepare(options: DatabaseOptions): void {
    this.#turnOnLog(options.busyTimeoutMs);
    // SQLite's lower() folds A–Z only.
    this.#database.function('fold_case', { deterministic: true, directOnly: true }, (text) =>
      String(text).toLowerCase(),
    );
    // A checkpoint copies each changed page once. At 16,000 pages (64 MB) the pages that every write changes are copied
    // a quarter as often as at 4,000.
    this.#database.exec(
      'PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 16000;',
    );
    if (options.maxSizeBytes !== undefined) {
      const pageBytes = this.prepare<{ readonly page_size: number }>('PRAGMA page_size').get()!.page_size;
      this.#maxPages = Math.max(1, Math.floor(options.maxSizeBytes / pageBytes));
      this.#database.exec(`PRAGMA max_page_count = ${this.#maxPages}`);
    }
    const readVersion = () =>
      this.prepare<{ readonly user_version: number }>('PRAGMA user_version').get()!.user_version;
    if (readVersion() < schemaVersion)
      this.write(() => {
        // Reads the version again: another process may have migrated the file.
        for (const migration of migrations.slice(readVersion())) this.#database.exec(migration);
        if (readVersion() < schemaVersion) this.#database.exec(`PRAGMA user_version = ${schemaVersion}`);
      });
    const version = readVersion();
    if (version !== schemaVersion)
      throw new AppError('UNAVAILABLE', 'The metadata file was written by another version.', {
        version,
        expected: schemaVersion,
      });
  }

  /** Needs exclusive access, and SQLite's busy timeout does not apply to it. */
  #turnOnLog(busyTimeoutMs: number): void {
    const pauseMs = 10;
    const readMode = () =>
      this.prepare<{ readonly journal_mode: string }>('PRAGMA journal_mode').get()?.journal_mode;
    for (let waitedMs = 0; readMode() !== 'wal'; waitedMs += pauseMs) {
      try {
        this.#database.exec('PRAGMA journal_mode = WAL');
      } catch (error) {
        if (translateSqliteError(error).code !== 'RATE_LIMITED' || waitedMs >= busyTimeoutMs) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  prepare<Row>(sql: string): TypedStatement<Row> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known as TypedStatement<Row>;
    const statement = prepare<Row>(this.#database, sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** @returns the number of changed rows and the last inserted row id */
  run(sql: string, ...values: readonly SqlValue[]): { readonly changes: number; readonly rowid: number } {
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values);
    return { changes: Number(changes), rowid: Number(lastInsertRowid) };
  }

  /** Runs several queries on one consistent snapshot. */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work);
  }

  /** Runs a transaction. Takes the write lock first, so that rows cannot change between read and write. */
  write<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work);
  }

  /** Does the work in memory and rolls it back, which a full disk permits: no page is spilled to the log. */
  rehearse<T>(work: () => T): T {
    return translating(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        this.#database.exec(`PRAGMA cache_spill = OFF; PRAGMA max_page_count = ${mostPages}`);
        return work();
      } finally {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        this.#database.exec(`PRAGMA cache_spill = ON; PRAGMA max_page_count = ${this.#maxPages}`);
      }
    });
  }

  close(): void {
    this.#statements.makeRoom(Infinity);
    if (this.#database.isOpen) this.#database.close();
  }

  #transaction<T>(begin: string, work: () => T): T {
    return translating(() => {
      this.prepare(begin).run();
      try {
        const result = work();
        this.prepare('COMMIT').run();
        return result;
      } catch (error) {
        // SQLite itself rolls back after severe errors, such as a full disk.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

/** The delay before a retry when another process held the lock for the whole timeout. */
const busyRetryAfterMs = 100;

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(error);
  }
}

/** @see https://www.sqlite.org/rescode.html (the low byte is the primary code) */
export function translateSqliteError(error: unknown): AppError {
  if (isAppError(error)) return error;
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number };
  if (code === 'ERR_INVALID_STATE')
    return new AppError('UNAVAILABLE', 'The metadata store is closed.', {}, error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('INSUFFICIENT_STORAGE', 'The disk is full.', {}, error);
  if (code !== 'ERR_SQLITE_ERROR')
    return typeof code === 'string' && /^E[A-Z]+$/.test(code)
      ? new AppError('UNAVAILABLE', 'Cannot open the metadata file.', { reason: code }, error)
      : new AppError('INTERNAL', 'The metadata store failed.', {}, error);
  switch ((errcode ?? 0) & 0xff) {
    case 5: // BUSY
    case 6: // LOCKED
      return rateLimited(busyRetryAfterMs, error);
    case 13: // FULL
      return new AppError('INSUFFICIENT_STORAGE', 'The disk is full.', {}, error);
    case 7: // NOMEM
    case 8: // READONLY
    case 10: // IOERR
    case 11: // CORRUPT
    case 14: // CANTOPEN
    case 15: // PROTOCOL
    case 26: // NOTADB
      return new AppError('UNAVAILABLE', 'Cannot read or write the metadata file.', {}, error);
    default:
      return new AppError('INTERNAL', 'The metadata store failed.', {}, error);
  }
}
