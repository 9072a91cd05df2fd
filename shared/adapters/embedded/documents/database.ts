import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { AppError, isAppError } from '../../../core/errors.ts';
import { rateLimited } from '../../../platform/storage/document-rules.ts';
import { migrations, schemaVersion } from './schema.ts';

export type SqlValue = SQLInputValue;
type Row = Record<string, unknown>;

export interface DatabaseOptions {
  /** Created, with its directories, when it is missing. */
  readonly file: string;
  /** How long a write waits for another process's. It blocks the thread meanwhile. */
  readonly busyTimeoutMs: number;
  /** The file may not grow beyond this. */
  readonly maxSizeBytes?: number;
}

/** SQLite's own limit on the pages of a file. */
const mostPages = 4_294_967_294;

/** One SQLite file: prepared statements (a bounded number), transactions, and errors as the port names them. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #maxPages = mostPages;
  static readonly #maxStatements = 64;

  /** @throws UNAVAILABLE when the file is no database, cannot be opened or was made by a newer version */
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
    // SQLite's own lower() knows the letters A–Z only.
    this.#database.function('fold_case', { deterministic: true, directOnly: true }, (text) =>
      String(text).toLowerCase(),
    );
    this.#database.exec(
      'PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 4000;',
    );
    if (options.maxSizeBytes !== undefined) {
      const pageBytes = Number(this.get('PRAGMA page_size')?.['page_size']);
      this.#maxPages = Math.max(1, Math.floor(options.maxSizeBytes / pageBytes));
      this.#database.exec(`PRAGMA max_page_count = ${this.#maxPages}`);
    }
    const readVersion = () => Number(this.get('PRAGMA user_version')?.['user_version']);
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
    for (let waitedMs = 0; this.get('PRAGMA journal_mode')?.['journal_mode'] !== 'wal'; waitedMs += pauseMs) {
      try {
        this.#database.exec('PRAGMA journal_mode = WAL');
      } catch (error) {
        if (translateSqliteError(error).code !== 'RATE_LIMITED' || waitedMs >= busyTimeoutMs) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  /** Rows as they are read: leaving the loop ends the query. */
  iterate(sql: string, ...values: readonly SqlValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values);
  }

  /** @returns how many rows changed, and the last row number given out. */
  run(sql: string, ...values: readonly SqlValue[]): { readonly changes: number; readonly rowid: number } {
    const { changes, lastInsertRowid } = this.#statement(sql).run(...values);
    return { changes: Number(changes), rowid: Number(lastInsertRowid) };
  }

  /** One consistent view for several queries. */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work);
  }

  /** All or nothing. Takes the write lock first, so that what is read cannot change before it is written. */
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
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #transaction<T>(begin: string, work: () => T): T {
    return translating(() => {
      this.#statement(begin).run();
      try {
        const result = work();
        this.#statement('COMMIT').run();
        return result;
      } catch (error) {
        // A full disk may already have rolled it back.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    // Taken out and put back: the first of the map is the one unused for longest.
    this.#statements.delete(sql);
    const statement = known ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > Database.#maxStatements) {
      const [oldest] = this.#statements.keys();
      this.#statements.delete(oldest!);
    }
    return statement;
  }
}

/** How long to wait before trying again when another process held the lock throughout. */
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
      ? new AppError('UNAVAILABLE', 'The metadata file cannot be opened.', { reason: code }, error)
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
      return new AppError('UNAVAILABLE', 'The metadata file cannot be read or written.', {}, error);
    default:
      return new AppError('INTERNAL', 'The metadata store failed.', {}, error);
  }
}
