/** Something deleted, or owned by nobody, that may be removed for good. Times: milliseconds since the Unix epoch. */
export type TrashSubject =
  | {
      readonly kind: 'run' | 'loggedModel';
      readonly id: string;
      readonly experimentId: string;
      readonly name: string;
      readonly artifactUri: string;
    }
  | { readonly kind: 'experiment'; readonly id: string; readonly name: string }
  /** A file or folder among the artifacts that belongs to no run and no logged model. */
  | { readonly kind: 'orphan'; readonly id: string; readonly isFolder: boolean };

export interface TrashEntry {
  readonly subject: TrashSubject;
  /** When it was deleted, or its experiment was; of orphans, when the newest file was written. */
  readonly deletedAt: number;
}

/** What `GET /api/v1/trash` tells: an entry, what it takes, and why it stays. */
export interface TrashItem extends TrashEntry {
  /** When the grace period is over. */
  readonly dueAt: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** There is more than was counted. */
  readonly isPartial: boolean;
  /** What still refers to it: while there is anything, it stays. */
  readonly keptBy: readonly string[];
  /** It would go now. */
  readonly goes: boolean;
}

export interface TrashPage {
  readonly items: readonly TrashItem[];
  readonly cursor?: string;
}

export interface Collected {
  readonly removed: readonly TrashSubject[];
  /** Due, and still needed. */
  readonly kept: readonly { readonly subject: TrashSubject; readonly keptBy: readonly string[] }[];
  /** False when the time was over before everything had been looked at: the next time goes on from there. */
  readonly isDone: boolean;
}
