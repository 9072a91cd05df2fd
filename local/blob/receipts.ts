import type { DatabaseSync } from 'node:sqlite';

/** The outcome of one version (ETag) of a blob in one function. */
export type BlobReceipt = {
  readonly etag: string;
  readonly failures: number;
  readonly state: 'failing' | 'done' | 'poison';
};

/**
 * The receipts of blob triggers: one per function and blob, with the newest ETag that was processed. A restart does not
 * call a function again; an overwritten blob does.
 */
export interface BlobReceipts {
  /** Reads the receipts of a page of blobs, by name, in one query. */
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
      const rows = select.all(fn, container, JSON.stringify(blobs)) as (BlobReceipt & {
        readonly blob: string;
      })[];
      return new Map(rows.map((row) => [row.blob, row]));
    },
    write: (fn, container, blob, { etag, failures, state }) =>
      void upsert.run(fn, container, blob, etag, failures, state),
  };
}
