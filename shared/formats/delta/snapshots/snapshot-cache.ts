import { Lru } from '../../../core/lru.ts';
import type { Snapshot } from './snapshot.ts';

/** A snapshot, and the ETag of its commit, which proves that the table is still the same. */
export interface KnownSnapshot {
  readonly snapshot: Snapshot;
  readonly etag: string;
}

interface Entry {
  readonly table: string;
  readonly known: KnownSnapshot;
}

/**
 * The snapshots read last, of any number of tables. A snapshot never changes, but its table may be deleted and another
 * created in its place.
 */
export class SnapshotCache {
  /** By table and version. */
  readonly #entries: Lru<string, Entry>;

  /** @param maxEntries files, tombstones and transactions of all snapshots together: about 1 KB each */
  constructor(maxEntries = 100_000) {
    this.#entries = new Lru({ maxCost: maxEntries });
  }

  /** The newest snapshot that is not newer than a version. */
  find(table: string, atMost = Infinity): KnownSnapshot | undefined {
    let best: KnownSnapshot | undefined;
    for (const [, { table: of, known }] of this.#entries.entries()) {
      const { version } = known.snapshot;
      if (of === table && version <= atMost && version > (best?.snapshot.version ?? -1)) best = known;
    }
    if (best) this.#entries.get(toKey(table, best));
    return best;
  }

  put(table: string, known: KnownSnapshot): void {
    this.#entries.set(toKey(table, known), { table, known }, countEntries(known));
  }

  /** Drops the snapshots of a table that is not the one it was. */
  forget(table: string): void {
    for (const [key, entry] of this.#entries.entries()) if (entry.table === table) this.#entries.delete(key);
  }
}

function toKey(table: string, { snapshot }: KnownSnapshot): string {
  return JSON.stringify([table, snapshot.version]);
}

function countEntries({ snapshot: { files, tombstones, transactions } }: KnownSnapshot): number {
  return 1 + files.size + tombstones.size + transactions.size;
}
