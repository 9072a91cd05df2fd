import type { DatabaseSync } from 'node:sqlite';

/** What became of one version (ETag) of a blob in one function. */
export interface BlobReceipt {
  readonly etag: string;
  readonly failures: number;
  readonly state: 'failing' | 'done' | 'poison';
}

/**
 * The receipts of blob triggers: one for each function and blob, for the newest ETag that was handled. They make a
 * restart silent and an overwrite loud.
 */
export interface BlobReceipts {
  /** The receipts of a page of blobs, by name: one query for the page, however long. */
  readPage(fn: string, container: string, blobs: readonly string[]): ReadonlyMap<string, BlobReceipt>;
  write(fn: string, container: string, blob: string, receipt: BlobReceipt): void;
}

export function createBlobReceipts(db: DatabaseSync): BlobReceipts {
  const select = db.prepare(
    `SELECT blob, etag, failures, state FROM host_blob_receipts
     WHERE function = ? AND container = ? AND blob IN (SELECT value FROM json_each(?))`,
  );
  const upsert = db.prepare('INSERT OR REPLACE INTO host_blob_receipts VALUES (?, ?, ?, ?, ?, ?)');
  return {
    readPage(fn, container, blobs) {
      const rows = select.all(fn, container, JSON.stringify(blobs)) as unknown as (BlobReceipt & {
        readonly blob: string;
      })[];
      return new Map(rows.map((row) => [row.blob, row]));
    },
    write: (fn, container, blob, { etag, failures, state }) =>
      void upsert.run(fn, container, blob, etag, failures, state),
  };
}
