import type { Snapshot } from './snapshot.ts';

/** A snapshot, and the ETag of its commit, which proves that the table is still the same. */
export interface KnownSnapshot {
  readonly snapshot: Snapshot;
  readonly etag: string;
}

/**
 * The snapshots that were read last, of any number of tables: a snapshot never changes, but a table may be deleted and another
 * made in its place.
 */
export class SnapshotCache {
  readonly #maxEntries: number;
  /** By table and version, the longest unused first. */
  readonly #entries = new Map<string, { readonly table: string; readonly known: KnownSnapshot }>();
  #count = 0;

  /** @param maxEntries files, tombstones and transactions of all snapshots together: about 1 KB each */
  constructor(maxEntries = 100_000) {
    this.#maxEntries = maxEntries;
  }

  /** The newest one that is not newer than a version. */
  find(table: string, atMost = Infinity): KnownSnapshot | undefined {
    let best: KnownSnapshot | undefined;
    for (const { table: of, known } of this.#entries.values()) {
      const { version } = known.snapshot;
      if (of === table && version <= atMost && version > (best?.snapshot.version ?? -1)) best = known;
    }
    if (best) this.put(table, best);
    return best;
  }

  put(table: string, known: KnownSnapshot): void {
    const weight = weigh(known);
    if (weight > this.#maxEntries) return;
    const key = JSON.stringify([table, known.snapshot.version]);
    this.#remove(key);
    this.#entries.set(key, { table, known });
    this.#count += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#count <= this.#maxEntries) return;
      this.#remove(oldest);
    }
  }

  /** The table is not the one that it was. */
  forget(table: string): void {
    for (const [key, entry] of this.#entries) if (entry.table === table) this.#remove(key);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#count -= weigh(entry.known);
  }
}

function weigh({ snapshot: { files, tombstones, transactions } }: KnownSnapshot): number {
  return 1 + files.size + tombstones.size + transactions.size;
}
