/** A deleted or ownerless object that can be purged. Times are milliseconds since the Unix epoch. */
export type TrashSubject =
  | {
      readonly kind: 'run' | 'loggedModel';
      readonly id: string;
      readonly experimentId: string;
      readonly name: string;
      readonly artifactUri: string;
    }
  | { readonly kind: 'experiment'; readonly id: string; readonly name: string }
  /** A file or folder of artifacts that belongs to no run or logged model. */
  | { readonly kind: 'orphan'; readonly id: string; readonly isFolder: boolean };

export interface TrashEntry {
  readonly subject: TrashSubject;
  /** When it or its experiment was deleted; for orphans, when the newest file was written. */
  readonly deletedAt: number;
}

/** An entry of the trash with its size, and what keeps it. */
export interface TrashItem extends TrashEntry {
  /** When the grace period ends. */
  readonly dueAt: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** Whether files were left uncounted. */
  readonly isPartial: boolean;
  /** What still refers to it, and so keeps it. */
  readonly keptBy: readonly string[];
  /** Whether a collection would remove it now. */
  readonly goes: boolean;
}

export interface TrashPage {
  readonly items: readonly TrashItem[];
  readonly cursor?: string;
}

export interface Collected {
  readonly removed: readonly TrashSubject[];
  /** Due, but still needed. */
  readonly kept: readonly { readonly subject: TrashSubject; readonly keptBy: readonly string[] }[];
  /** False when the deadline came first; the next collection continues from there. */
  readonly isDone: boolean;
}
