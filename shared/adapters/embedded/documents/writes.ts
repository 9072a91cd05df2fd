import { AppError } from '../../../core/errors.ts';
import type { Database } from './database.ts';
import type { FieldIndex } from './field-index.ts';

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
  readonly sizeBytes: number;
  readonly expiresAt: number | null;
  /** 1 when `fields` describes this body, 0 when the document is noted for the index. */
  readonly isIndexed: 0 | 1;
}

type ExpiredRow = Pick<StoredRow, 'seq' | 'body'> & {
  readonly container: string;
  readonly partitionId: number;
};

/** The number of expired documents that one write deletes. */
const sweepRows = 4;

/** Writes documents, and notes them for the index. Every method needs an open write transaction. */
export class DocumentWriter {
  readonly #database: Database;
  readonly #index: Pick<FieldIndex, 'defer' | 'grow' | 'remove'>;
  /** When to look for expired documents next; undefined until it is read from the file. */
  #nextSweep: number | undefined;

  constructor(database: Database, index: Pick<FieldIndex, 'defer' | 'grow' | 'remove'>) {
    this.#database = database;
    this.#index = index;
  }

  /**
   * @returns the new ETag; undefined for a delete.
   * @throws ALREADY_EXISTS, NOT_FOUND, PRECONDITION_FAILED
   */
  apply(container: string, partition: string, write: Write, etag: string, now: number): string | undefined {
    const { partitionId, found } = this.#find(container, partition, write.id);
    const live = found !== undefined && isLive(found.expiresAt, now) ? found : undefined;
    check(write, live);
    if (write.kind === 'delete') {
      if (partitionId !== undefined && live !== undefined) this.#remove(container, partitionId, live);
      return undefined;
    }
    const ownerId = partitionId ?? this.#addPartition(container, partition);
    const expiresAt = write.ttl === undefined ? null : now + write.ttl * 1_000;
    if (expiresAt !== null && this.#nextSweep !== undefined)
      this.#nextSweep = Math.min(this.#nextSweep, expiresAt);
    if (found === undefined) this.#insert(container, ownerId, write, etag, expiresAt);
    else this.#update(found, write.json, etag, expiresAt);
    return etag;
  }

  /** Deletes a few expired documents. Reads already leave them out. */
  sweep(now: number): void {
    this.#nextSweep ??= this.#findNextSweep(now);
    if (now < this.#nextSweep) return;
    const expired = this.#database
      .prepare<ExpiredRow>(
        'SELECT seq, container, partition_id AS partitionId, body FROM documents WHERE expires_at <= ? LIMIT ?',
      )
      .all(now, sweepRows);
    for (const row of expired) this.#remove(row.container, row.partitionId, row);
    this.#nextSweep = undefined;
  }

  /** When the next document expires, at the latest in a minute: other processes write to the file, too. */
  #findNextSweep(now: number): number {
    const row = this.#database
      .prepare<{ readonly expiresAt: number | null }>(
        'SELECT min(expires_at) AS expiresAt FROM documents WHERE expires_at IS NOT NULL',
      )
      .get();
    return Math.min(row?.expiresAt ?? Infinity, now + 60_000);
  }

  #addPartition(container: string, name: string): number {
    return this.#database.run('INSERT INTO partitions (container, name) VALUES (?, ?)', container, name)
      .rowid;
  }

  #find(
    container: string,
    partition: string,
    id: string,
  ): { readonly partitionId?: number; readonly found?: StoredRow } {
    const row = this.#database
      .prepare<{ readonly partitionId: number } & (StoredRow | { readonly seq: null })>(
        `SELECT p.partition_id AS partitionId, d.seq, d.etag, d.body, d.size_bytes AS sizeBytes,
          d.expires_at AS expiresAt, NOT EXISTS (SELECT 1 FROM unindexed u WHERE u.seq = d.seq) AS isIndexed
        FROM partitions p LEFT JOIN documents d ON d.partition_id = p.partition_id AND d.id = ?
        WHERE p.container = ? AND p.name = ?`,
      )
      .get(id, container, partition);
    if (row === undefined) return {};
    const { partitionId } = row;
    return row.seq === null ? { partitionId } : { partitionId, found: row };
  }

  #insert(
    container: string,
    partitionId: number,
    write: { readonly id: string; readonly json: string },
    etag: string,
    expiresAt: number | null,
  ): void {
    const sizeBytes = Buffer.byteLength(write.json);
    const { rowid } = this.#database.run(
      'INSERT INTO documents (container, partition_id, id, etag, expires_at, size_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
      container,
      partitionId,
      write.id,
      etag,
      expiresAt,
      sizeBytes,
      write.json,
    );
    this.#index.defer(rowid, sizeBytes);
  }

  #update(old: StoredRow, json: string, etag: string, expiresAt: number | null): void {
    const sizeBytes = Buffer.byteLength(json);
    this.#database.run(
      'UPDATE documents SET etag = ?, expires_at = ?, size_bytes = ?, body = ? WHERE seq = ?',
      etag,
      expiresAt,
      sizeBytes,
      json,
      old.seq,
    );
    if (old.isIndexed === 1)
      this.#index.defer(old.seq, sizeBytes, { json: old.body, sizeBytes: old.sizeBytes });
    else this.#index.grow(sizeBytes - old.sizeBytes);
  }

  #remove(container: string, partitionId: number, old: Pick<StoredRow, 'seq' | 'body'>): void {
    this.#index.remove(container, old.seq, old.body);
    this.#database.run('DELETE FROM documents WHERE seq = ?', old.seq);
    this.#database.run(
      `DELETE FROM partitions WHERE partition_id = ?1
        AND NOT EXISTS (SELECT 1 FROM documents WHERE partition_id = ?1)`,
      partitionId,
    );
  }
}

/** @returns whether a document has not expired. */
export function isLive(expiresAt: number | null, now: number): boolean {
  return expiresAt === null || expiresAt > now;
}

function check(write: Write, live: StoredRow | undefined): void {
  if (write.kind === 'create' && live !== undefined)
    throw new AppError('ALREADY_EXISTS', 'A document with this id already exists.', { id: write.id });
  if (write.kind !== 'replace' && write.kind !== 'delete') return;
  if (live === undefined) throw new AppError('NOT_FOUND', 'The document does not exist.', { id: write.id });
  if (write.etag !== undefined && write.etag !== live.etag)
    throw new AppError('PRECONDITION_FAILED', 'The document has changed since it was read.', {
      id: write.id,
    });
}
