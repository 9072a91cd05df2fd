import type { JsonObject } from '../../../core/json/json.ts';
import type { Database, SqlValue } from './database.ts';
import type { FieldType, IndexedField } from './fields.ts';
import { indexedFields } from './fields.ts';

/**
 * Bounds what the next query has to index. Bytes count both bodies that indexing compares: the stored one and
 * the one that the index describes.
 */
const backlogLimits = { documents: 256, bytes: 2_000_000 } as const;

/** Rows of `fields` that one statement inserts. */
const rowsPerInsert = 64;

/** Rows that are collected before they are sorted and inserted: bounds memory. */
const rowsPerSort = 20_000;

interface FieldRow {
  readonly pathId: number;
  readonly type: FieldType;
  readonly value: number | string;
  readonly seq: number;
  readonly partitionId: number;
}

/**
 * Maintains the rows of `fields`, for groups of documents. A document has dozens of rows, each on another page of
 * the index: written with the document, they would be most of the cost of a small write. A group shares pages, and
 * a document that changes often is indexed once. A write therefore only notes the document in `unindexed`, in its
 * own transaction, and a query indexes the noted documents before it reads.
 *
 * Every method needs an open write transaction, except where it says otherwise.
 */
export class FieldIndex {
  readonly #database: Database;
  readonly #pathIds = new Map<string, number>();
  static readonly #maxPathIds = 10_000;
  /** At least what this process has left unindexed; undefined until counted. Others may have left more. */
  #backlog: { documents: number; bytes: number } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Drops cached state after a rollback. Needs no transaction. */
  forget(): void {
    this.#pathIds.clear();
    this.#backlog = undefined;
  }

  /** @returns whether every document is indexed. A read transaction is enough. */
  isCurrent(): boolean {
    return this.#database.prepare('SELECT 1 FROM unindexed LIMIT 1').get() === undefined;
  }

  /** @returns whether the backlog has reached its limit. Needs no transaction. */
  isBehind(): boolean {
    const { documents, bytes } = this.#countBacklog();
    return documents >= backlogLimits.documents || bytes >= backlogLimits.bytes;
  }

  /**
   * Notes that a document was created, or changed for the first time since it was indexed.
   *
   * @param indexedBody the body that its index rows describe; undefined for a new document
   */
  defer(seq: number, sizeBytes: number, indexedBody?: { readonly json: string; readonly sizeBytes: number }) {
    const backlog = this.#countBacklog();
    this.#database.run(
      'INSERT INTO unindexed (seq, indexed_body) VALUES (?, ?)',
      seq,
      indexedBody?.json ?? null,
    );
    backlog.documents += 1;
    backlog.bytes += sizeBytes + (indexedBody?.sizeBytes ?? 0);
  }

  /** Counts the growth of a document that is noted already. */
  grow(addedBytes: number): void {
    this.#countBacklog().bytes += Math.max(0, addedBytes);
  }

  /** Indexes every noted document. Writes only the rows that differ. */
  catchUp(): void {
    const documents = this.#database
      .prepare<UnindexedDocument>(
        `SELECT u.seq, u.indexed_body AS indexedBody, d.container, d.partition_id AS partitionId, d.body
        FROM unindexed u CROSS JOIN documents d ON d.seq = u.seq`,
      )
      .iterate();
    let added: FieldRow[] = [];
    for (const { seq, indexedBody, container, partitionId, body } of documents) {
      const { removed, created } = compareFields(indexedBody, body);
      for (const field of removed) this.#delete(container, seq, field);
      for (const { path, type, value } of created)
        added.push({ pathId: this.#pathId(container, path), type, value, seq, partitionId });
      if (added.length < rowsPerSort) continue;
      this.#insert(added);
      added = [];
    }
    this.#insert(added);
    this.#database.run('DELETE FROM unindexed');
    this.#backlog = { documents: 0, bytes: 0 };
  }

  /** Removes the index rows of a document that is being deleted. */
  remove(container: string, seq: number, body: string): void {
    const noted = this.#database
      .prepare<{ readonly body: string | null }>('SELECT indexed_body AS body FROM unindexed WHERE seq = ?')
      .get(seq);
    const indexedBody = noted === undefined ? body : noted.body;
    for (const field of readFields(indexedBody)) this.#delete(container, seq, field);
    if (noted !== undefined) this.#database.run('DELETE FROM unindexed WHERE seq = ?', seq);
  }

  #delete(container: string, seq: number, field: IndexedField): void {
    this.#database.run(
      'DELETE FROM fields WHERE path_id = ? AND type = ? AND value = ? AND seq = ?',
      this.#pathId(container, field.path),
      field.type,
      field.value,
      seq,
    );
  }

  #insert(rows: FieldRow[]): void {
    // Roughly in the order of the index, so that neighbours share a page.
    rows.sort((a, b) => a.pathId - b.pathId || a.type - b.type || (a.value < b.value ? -1 : 1));
    for (let start = 0; start < rows.length;) {
      const count = rows.length - start < rowsPerInsert ? 1 : rowsPerInsert;
      const values: SqlValue[] = [];
      for (const { pathId, type, value, seq, partitionId } of rows.slice(start, start + count))
        values.push(pathId, type, value, seq, partitionId);
      this.#database.run(count === 1 ? insertRow : insertRows, ...values);
      start += count;
    }
  }

  #countBacklog(): { documents: number; bytes: number } {
    if (this.#backlog !== undefined) return this.#backlog;
    const row = this.#database
      .prepare<{ documents: number; bytes: number }>(
        `SELECT count(*) AS documents, total(d.size_bytes) + total(octet_length(u.indexed_body)) AS bytes
        FROM unindexed u CROSS JOIN documents d ON d.seq = u.seq`,
      )
      .get();
    return (this.#backlog = { ...row! });
  }

  #pathId(container: string, path: string): number {
    const key = `${container}/${path}`;
    const known = this.#pathIds.get(key);
    if (known !== undefined) return known;
    const row = this.#database
      .prepare<{ readonly id: number }>('SELECT path_id AS id FROM paths WHERE container = ? AND path = ?')
      .get(container, path);
    const id =
      row?.id ??
      this.#database.run('INSERT INTO paths (container, path) VALUES (?, ?)', container, path).rowid;
    if (this.#pathIds.size >= FieldIndex.#maxPathIds) this.#pathIds.clear();
    this.#pathIds.set(key, id);
    return id;
  }
}

interface UnindexedDocument {
  readonly seq: number;
  readonly indexedBody: string | null;
  readonly container: string;
  readonly partitionId: number;
  readonly body: string;
}

const insertRow = toInsert(1);
const insertRows = toInsert(rowsPerInsert);

function toInsert(rows: number): string {
  const values = Array<string>(rows).fill('(?, ?, ?, ?, ?)').join(', ');
  return `INSERT INTO fields (path_id, type, value, seq, partition_id) VALUES ${values}`;
}

function readFields(json: string | null): readonly IndexedField[] {
  return json === null ? [] : indexedFields(JSON.parse(json) as JsonObject);
}

/** The fields of one body that the other lacks, both ways. */
function compareFields(
  indexedBody: string | null,
  body: string,
): { readonly removed: readonly IndexedField[]; readonly created: readonly IndexedField[] } {
  const after = readFields(body);
  if (indexedBody === null) return { removed: [], created: after };
  const before = readFields(indexedBody);
  const [keysBefore, keysAfter] = [new Set(before.map(toKey)), new Set(after.map(toKey))];
  return {
    removed: before.filter((field) => !keysAfter.has(toKey(field))),
    created: after.filter((field) => !keysBefore.has(toKey(field))),
  };
}

function toKey({ path, type, value }: IndexedField): string {
  return `${path} ${type} ${value}`;
}
