import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Database } from './database.ts';
import type { IndexedField } from './fields.ts';
import { indexedFields } from './fields.ts';

export type Write =
  | { readonly kind: 'create'; readonly id: string; readonly json: string; readonly ttl?: number }
  | { readonly kind: 'upsert'; readonly id: string; readonly json: string; readonly ttl?: number }
  | {
      readonly kind: 'replace';
      readonly id: string;
      readonly json: string;
      readonly etag: string;
      readonly ttl?: number;
    }
  | { readonly kind: 'delete'; readonly id: string; readonly etag?: string };

interface StoredRow {
  readonly seq: number;
  readonly etag: string;
  readonly body: string;
  readonly expiresAt: number | null;
}

/** How many expired documents each write clears away: more than it can add. */
const sweepRows = 4;

/** Writes to documents, and to the index rows that follow them. Every method needs an open write transaction. */
export class DocumentWriter {
  readonly #database: Database;
  readonly #pathIds = new Map<string, number>();
  static readonly #maxPathIds = 10_000;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What was learnt in a transaction that is rolled back is not true. */
  forget(): void {
    this.#pathIds.clear();
  }

  /**
   * @returns the new ETag; undefined for a delete.
   * @throws ALREADY_EXISTS, NOT_FOUND, PRECONDITION_FAILED
   */
  apply(container: string, partition: string, write: Write, etag: string, now: number): string | undefined {
    const partitionId = this.#findPartition(container, partition);
    const found = partitionId === undefined ? undefined : this.#find(partitionId, write.id);
    const live = found !== undefined && isLive(found.expiresAt, now) ? found : undefined;
    check(write, live);
    if (write.kind === 'delete') {
      if (partitionId !== undefined && live !== undefined) this.#remove(container, partitionId, live);
      return undefined;
    }
    const ownerId = partitionId ?? this.#addPartition(container, partition);
    const expiresAt = write.ttl === undefined ? null : now + write.ttl * 1_000;
    if (found === undefined) this.#insert(container, ownerId, write, etag, expiresAt);
    else this.#update(container, ownerId, found, write.json, etag, expiresAt);
    return etag;
  }

  /** Clears away a few documents whose time is over. Readers do not see them, swept or not. */
  sweep(now: number): void {
    const rows = this.#database.all(
      'SELECT seq, container, partition_id AS partitionId, etag, body FROM documents WHERE expires_at <= ? LIMIT ?',
      now,
      sweepRows,
    );
    for (const row of rows) {
      const expired = row as unknown as StoredRow & { container: string; partitionId: number };
      this.#remove(expired.container, expired.partitionId, expired);
    }
  }

  #findPartition(container: string, name: string): number | undefined {
    const row = this.#database.get(
      'SELECT partition_id AS id FROM partitions WHERE container = ? AND name = ?',
      container,
      name,
    );
    return row?.['id'] as number | undefined;
  }

  #addPartition(container: string, name: string): number {
    return this.#database.run('INSERT INTO partitions (container, name) VALUES (?, ?)', container, name)
      .rowid;
  }

  #find(partitionId: number, id: string): StoredRow | undefined {
    return this.#database.get(
      'SELECT seq, etag, body, expires_at AS expiresAt FROM documents WHERE partition_id = ? AND id = ?',
      partitionId,
      id,
    ) as StoredRow | undefined;
  }

  #insert(
    container: string,
    partitionId: number,
    write: { readonly id: string; readonly json: string },
    etag: string,
    expiresAt: number | null,
  ): void {
    const { rowid } = this.#database.run(
      'INSERT INTO documents (container, partition_id, id, etag, expires_at, size_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
      container,
      partitionId,
      write.id,
      etag,
      expiresAt,
      Buffer.byteLength(write.json),
      write.json,
    );
    this.#reindex(container, partitionId, rowid, undefined, write.json);
  }

  #update(
    container: string,
    partitionId: number,
    old: StoredRow,
    json: string,
    etag: string,
    expiresAt: number | null,
  ): void {
    this.#database.run(
      'UPDATE documents SET etag = ?, expires_at = ?, size_bytes = ?, body = ? WHERE seq = ?',
      etag,
      expiresAt,
      Buffer.byteLength(json),
      json,
      old.seq,
    );
    this.#reindex(container, partitionId, old.seq, old.body, json);
  }

  #remove(container: string, partitionId: number, old: StoredRow): void {
    this.#reindex(container, partitionId, old.seq, old.body, undefined);
    this.#database.run('DELETE FROM documents WHERE seq = ?', old.seq);
    this.#database.run(
      `DELETE FROM partitions WHERE partition_id = ?1
        AND NOT EXISTS (SELECT 1 FROM documents WHERE partition_id = ?1)`,
      partitionId,
    );
  }

  /** Only what differs is written: a run whose one metric moves changes one row of each index. */
  #reindex(
    container: string,
    partitionId: number,
    seq: number,
    oldJson: string | undefined,
    newJson: string | undefined,
  ): void {
    const before = readFields(oldJson);
    const after = readFields(newJson);
    for (const [key, field] of before) {
      if (after.has(key)) continue;
      this.#database.run(
        'DELETE FROM fields WHERE path_id = ? AND type = ? AND value = ? AND seq = ?',
        this.#pathId(container, field.path),
        field.type,
        field.value,
        seq,
      );
    }
    for (const [key, field] of after) {
      if (before.has(key)) continue;
      this.#database.run(
        'INSERT INTO fields (path_id, type, value, seq, partition_id) VALUES (?, ?, ?, ?, ?)',
        this.#pathId(container, field.path),
        field.type,
        field.value,
        seq,
        partitionId,
      );
    }
  }

  #pathId(container: string, path: string): number {
    const key = `${container}/${path}`;
    const known = this.#pathIds.get(key);
    if (known !== undefined) return known;
    const row = this.#database.get(
      'SELECT path_id AS id FROM paths WHERE container = ? AND path = ?',
      container,
      path,
    );
    const id =
      (row?.['id'] as number | undefined) ??
      this.#database.run('INSERT INTO paths (container, path) VALUES (?, ?)', container, path).rowid;
    if (this.#pathIds.size >= DocumentWriter.#maxPathIds) this.#pathIds.clear();
    this.#pathIds.set(key, id);
    return id;
  }
}

/** @returns whether a document's time is not over yet. */
export function isLive(expiresAt: number | null, now: number): boolean {
  return expiresAt === null || expiresAt > now;
}

function check(write: Write, live: StoredRow | undefined): void {
  if (write.kind === 'create' && live !== undefined)
    throw new AppError('ALREADY_EXISTS', 'A document with this id is already there.', { id: write.id });
  if (write.kind !== 'replace' && write.kind !== 'delete') return;
  if (live === undefined) throw new AppError('NOT_FOUND', 'There is no such document.', { id: write.id });
  if (write.etag !== undefined && write.etag !== live.etag)
    throw new AppError('PRECONDITION_FAILED', 'The document has changed since it was read.', {
      id: write.id,
    });
}

function readFields(json: string | undefined): ReadonlyMap<string, IndexedField> {
  const fields = json === undefined ? [] : indexedFields(JSON.parse(json) as JsonObject);
  return new Map(fields.map((field) => [`${field.path} ${field.type} ${field.value}`, field]));
}
