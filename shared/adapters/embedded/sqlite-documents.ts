import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import type { AppError } from '../../core/errors.ts';
import { isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import { openDocumentCursor, sealDocumentCursor } from '../../platform/storage/document-cursor.ts';
import { checkQuery } from '../../platform/storage/document-query-rules.ts';
import {
  atOperation,
  checkBatch,
  checkBody,
  checkEtag,
  checkKey,
  checkTtl,
} from '../../platform/storage/document-rules.ts';
import type {
  BatchOperation,
  DocumentKey,
  DocumentPage,
  DocumentQuery,
  MetadataStore,
  StoredDocument,
  WriteOptions,
} from '../../platform/storage/documents.ts';
import { Database, translateSqliteError } from './documents/database.ts';
import { FieldIndex } from './documents/field-index.ts';
import { fieldTypes } from './documents/fields.ts';
import { LogFlusher } from './documents/log-flusher.ts';
import type { PageBudget, PageCost, Position } from './documents/pages.ts';
import { defaultBudget } from './documents/pages.ts';
import { readPage } from './documents/reads.ts';
import type { Write } from './documents/writes.ts';
import { DocumentWriter, isLive } from './documents/writes.ts';

export interface SqliteDocumentsDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<Ids, 'uuid'>;
}

export interface SqliteDocumentsOptions {
  readonly file: string;
  /** How long a write waits for the lock of another process; 2,000 when left out. */
  readonly busyTimeoutMs?: number;
  /** The file may not grow beyond this. @throws INSUFFICIENT_STORAGE on the write that would */
  readonly maxSizeBytes?: number;
  readonly faults?: DocumentFaults;
  /** Limits on the cost of one page; `defaultBudget` when left out. */
  readonly budget?: Partial<PageBudget>;
  /** Called with the cost of each page, so that tests need no stopwatch. */
  readonly onPage?: (cost: PageCost) => void;
}

/** Imitates what Cosmos may do at any time and SQLite never does, to test callers. */
interface DocumentFaults {
  /** Called before each operation. An error that it returns (`rateLimited(100)`) is thrown instead. */
  readonly fail?: (operation: keyof MetadataStore) => AppError | undefined;
  /** At most this many documents in the next page: 0 makes an empty page that still carries a cursor. */
  readonly shortenPage?: (query: DocumentQuery) => number | undefined;
}

/**
 * The embedded `MetadataStore`: one SQLite file that enforces Cosmos's rules. A completed write survives the death
 * of the process; a power cut may undo the last writes but does not damage the file. Several processes may share
 * the file, one of which writes at a time. Documents are indexed in groups, at the latest by the next query: that
 * query writes, so it waits for the write lock.
 *
 * @throws UNAVAILABLE when the file cannot be opened, is damaged or was made by another version
 */
export function openSqliteDocuments(
  deps: SqliteDocumentsDeps,
  options: SqliteDocumentsOptions,
): MetadataStore {
  return new SqliteDocuments(deps, options);
}

const adapter = 'sqlite';

interface FoundRow {
  readonly etag: string;
  readonly body: string;
  readonly expiresAt: number | null;
}

class SqliteDocuments implements MetadataStore {
  readonly #deps: SqliteDocumentsDeps;
  readonly #options: SqliteDocumentsOptions;
  readonly #database: Database;
  readonly #index: FieldIndex;
  readonly #writer: DocumentWriter;
  readonly #flusher: LogFlusher;

  constructor(deps: SqliteDocumentsDeps, options: SqliteDocumentsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#database = new Database({ busyTimeoutMs: 2_000, ...options });
    this.#index = new FieldIndex(this.#database);
    this.#writer = new DocumentWriter(this.#database, this.#index);
    this.#flusher = new LogFlusher(`${options.file}-wal`);
  }

  async get<T extends JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkKey(key);
    this.#failOnPurpose('get');
    const row = this.#run(() =>
      this.#database
        .prepare<FoundRow>(
          `SELECT d.etag, d.body, d.expires_at AS expiresAt
          FROM partitions p CROSS JOIN documents d ON d.partition_id = p.partition_id
          WHERE p.container = ? AND p.name = ? AND d.id = ?`,
        )
        .get(key.container, key.partition, key.id),
    );
    if (row === undefined || !isLive(row.expiresAt, this.#deps.clock.now())) return undefined;
    return toDocument<T>(key, row.body, row.etag);
  }

  async create<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    this.#failOnPurpose('create');
    return this.#put<T>(key, { kind: 'create', id: key.id, json: checkBody(body), ...toTtl(options) });
  }

  async replace<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    etag: string,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    checkEtag(etag);
    this.#failOnPurpose('replace');
    return this.#put<T>(key, { kind: 'replace', id: key.id, json: checkBody(body), etag, ...toTtl(options) });
  }

  async upsert<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    this.#failOnPurpose('upsert');
    return this.#put<T>(key, { kind: 'upsert', id: key.id, json: checkBody(body), ...toTtl(options) });
  }

  async delete(key: DocumentKey, etag?: string): Promise<void> {
    checkKey(key);
    if (etag !== undefined) checkEtag(etag);
    this.#failOnPurpose('delete');
    this.#write((now) =>
      this.#writer.apply(
        key.container,
        key.partition,
        { kind: 'delete', id: key.id, ...(etag === undefined ? {} : { etag }) },
        '',
        now,
      ),
    );
  }

  async batch(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
  ): Promise<readonly (string | undefined)[]> {
    const bodies = checkBatch(container, partition, operations);
    this.#failOnPurpose('batch');
    return this.#write((now) =>
      operations.map((operation, index) => {
        try {
          const write = toWrite(operation, bodies[index]);
          return this.#writer.apply(container, partition, write, this.#deps.ids.uuid(), now);
        } catch (error) {
          throw isAppError(error) ? atOperation(error, index) : error;
        }
      }),
    );
  }

  async list<T extends JsonObject>(query: DocumentQuery): Promise<DocumentPage<T>> {
    checkQuery(query);
    const after = openPosition(query);
    this.#failOnPurpose('list');
    const limit = Math.min(query.limit, this.#options.faults?.shortenPage?.(query) ?? query.limit);
    if (limit <= 0)
      return { documents: [], cursor: query.cursor ?? sealDocumentCursor(adapter, query, toJson(start)) };
    const budget = { ...defaultBudget, ...this.#options.budget };
    const now = this.#deps.clock.now();
    const read = () => readPage(this.#database, { query, limit, after, now, budget });
    const page = this.#query(read);
    this.#options.onPage?.(page.cost);
    const documents = page.documents as readonly StoredDocument<T>[];
    if (page.end === undefined) return { documents };
    return { documents, cursor: sealDocumentCursor(adapter, query, toJson(page.end)) };
  }

  async ping(): Promise<void> {
    this.#failOnPurpose('ping');
    this.#run(() => this.#database.prepare('SELECT 1 FROM documents LIMIT 1').get());
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#flusher.close();
  }

  #put<T extends JsonObject>(key: DocumentKey, write: Write & { readonly json: string }): StoredDocument<T> {
    checkKey(key);
    const etag = this.#deps.ids.uuid();
    this.#write((now) => this.#writer.apply(key.container, key.partition, write, etag, now));
    return toDocument<T>(key, write.json, etag);
  }

  #write<T>(work: (now: number) => T): T {
    const result = this.#transact(() => {
      const now = this.#deps.clock.now();
      this.#writer.sweep(now);
      return work(now);
    });
    this.#keepUp();
    this.#flusher.countWrite();
    return result;
  }

  /** The write has succeeded: if indexing fails, the next write retries it and the next query reports it. */
  #keepUp(): void {
    try {
      if (this.#index.isBehind()) this.#transact(() => this.#index.catchUp());
    } catch {
      this.#index.forget();
    }
  }

  /** Reads after bringing the index up to date, which needs a write transaction when documents are noted. */
  #query<T>(read: () => T): T {
    const found = this.#database.read(() => (this.#index.isCurrent() ? { result: read() } : undefined));
    if (found !== undefined) return found.result;
    const catchUpAndRead = () => {
      this.#index.catchUp();
      return read();
    };
    try {
      return this.#transact(catchUpAndRead);
    } catch (error) {
      if (!isAppError(error, 'INSUFFICIENT_STORAGE')) throw error;
      // Queries must work on a full disk: without them nobody can find what to delete.
      try {
        return this.#database.rehearse(catchUpAndRead);
      } finally {
        this.#index.forget();
      }
    }
  }

  #transact<T>(work: () => T): T {
    try {
      return this.#database.write(work);
    } catch (error) {
      this.#index.forget();
      throw error;
    }
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  #failOnPurpose(operation: keyof MetadataStore): void {
    const error = this.#options.faults?.fail?.(operation);
    if (error !== undefined) throw error;
  }
}

function toDocument<T extends JsonObject>(key: DocumentKey, json: string, etag: string): StoredDocument<T> {
  const { container, partition, id } = key;
  return { container, partition, id, etag, body: JSON.parse(json) as T };
}

function toTtl(options: WriteOptions | undefined): { readonly ttl?: number } {
  checkTtl(options?.ttlSeconds);
  return options?.ttlSeconds === undefined ? {} : { ttl: options.ttlSeconds };
}

function toWrite(operation: BatchOperation, json: string | undefined): Write {
  switch (operation.kind) {
    case 'create':
    case 'upsert':
      return { kind: operation.kind, id: operation.id, json: json!, ...toTtl(operation) };
    case 'replace':
      return {
        kind: 'replace',
        id: operation.id,
        json: json!,
        etag: operation.etag,
        ...toTtl(operation),
      };
    case 'delete':
      return operation;
  }
}

/** The position before the first document, where an empty first page ends. */
const start: Position = { seq: 0 };

function toJson(position: Position): JsonValue {
  return position.key === undefined ? [position.seq] : [position.seq, position.key.type, position.key.value];
}

const seqSchema = z.int().min(1);
const startSchema = z.tuple([z.literal(start.seq)]);
const scanSchema = z.union([startSchema, z.tuple([seqSchema])]);
const sortedSchema = z.union([
  startSchema,
  z.tuple([seqSchema, z.literal([fieldTypes.boolean, fieldTypes.number]), z.number()]),
  z.tuple([seqSchema, z.literal(fieldTypes.string), z.string()]),
]);

/** The position of the query's cursor; undefined for the beginning. @throws INVALID_ARGUMENT */
function openPosition(query: DocumentQuery): Position | undefined {
  const opened = openDocumentCursor(adapter, query, query.sort === undefined ? scanSchema : sortedSchema);
  if (opened === undefined) return undefined;
  const [seq, type, value] = opened;
  if (seq === start.seq) return undefined;
  return type === undefined || value === undefined ? { seq } : { seq, key: { type, value } };
}
