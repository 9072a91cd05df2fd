import type { BlobProperties, BlobStore } from '../../../platform/storage/blobs.ts';
import { blobContainers } from '../../../core/names.ts';
import { isAppError } from '../../../core/errors.ts';
import type { Clock } from '../../../core/clock.ts';
import { eachItem } from '../../../platform/storage/page.ts';
import type { DatasetStore } from '../dataset-store.ts';
import type { DeltaTable } from '../../../formats/delta/delta-table.ts';
import type { LogCommit } from '../../../formats/delta/log/actions.ts';
import { parseDataPath } from '../tables/data-file.ts';
import { findLiveFiles } from './live-files.ts';
import type { Tables } from '../tables/tables.ts';

/** Files without a version are kept so long: an ingestion may be about to give them one. */
export const orphanMs = 7 * 24 * 3_600_000;

export interface VacuumDeps {
  readonly blobs: BlobStore;
  readonly store: DatasetStore;
  readonly tables: Tables;
  readonly clock: Clock;
  /** How long an old version can be read that nothing keeps. */
  readonly retentionMs: number;
  /** The versions of a dataset that models and runs were made from. */
  readonly findReferenced: (dataset: string) => Promise<ReadonlySet<number>>;
}

export interface VacuumOptions {
  /** Says what would go, and leaves it. */
  readonly dryRun: boolean;
  /** When to stop, and go on another time. Milliseconds since the Unix epoch. */
  readonly deadline: number;
}

export interface Vacuumed {
  readonly dataset: string;
  /** The first hundred. */
  readonly removed: readonly string[];
  readonly files: number;
  readonly sizeBytes: number;
  /** Versions that can still be read in full, with what keeps each that is over its time. */
  readonly kept: readonly { readonly version: number; readonly because: string }[];
  /** Versions whose files are not all there any more, or will not be. */
  readonly lost: readonly number[];
  readonly isDone: boolean;
}

const maxNamed = 100;
const pageSize = 1_000;
const commitsAtOnce = 8;

/**
 * Removes the data files that only versions need which nothing keeps: not the newest, not within the retention, no
 * tag, no pin, no model made from it. What a commit may be about to use is younger than seven days and stays, too. The log itself is
 * never touched: what a version was, and where it came from, can be told for ever.
 */
export async function vacuum(deps: VacuumDeps, dataset: string, options: VacuumOptions): Promise<Vacuumed> {
  const { blobs, clock } = deps;
  const { live, kept, lost } = await findLive(deps, dataset);
  const before = clock.now() - orphanMs;
  const removed: string[] = [];
  let files = 0;
  let sizeBytes = 0;
  let isDone = true;
  for await (const blob of eachFile(blobs, dataset)) {
    if (clock.now() >= options.deadline) {
      isDone = false;
      break;
    }
    const path = blob.ref.name.slice(dataset.length + 1);
    if (!isOurs(path) || live.has(path) || blob.lastModified > before) continue;
    if (!options.dryRun && !(await removeUnchanged(blobs, blob))) continue;
    files += 1;
    sizeBytes += blob.sizeBytes;
    if (removed.length < maxNamed) removed.push(path);
  }
  return { dataset, removed, files, sizeBytes, kept, lost, isDone };
}

/** Data files, and what pipelines left of their work; nothing that another writer named, no log, no profile. */
function isOurs(path: string): boolean {
  return parseDataPath(path) !== undefined || path.startsWith('_slipway/staged/');
}

async function findLive(
  { store, tables, clock, retentionMs, findReferenced }: VacuumDeps,
  dataset: string,
): Promise<Pick<Vacuumed, 'kept' | 'lost'> & { readonly live: ReadonlySet<string> }> {
  const table = tables.of(dataset);
  const [newest, { tags, pins }, referenced] = await Promise.all([
    table.latest(),
    store.readMarks(dataset),
    findReferenced(dataset),
  ]);
  const kept: { version: number; because: string }[] = [];
  const lost: number[] = [];
  if (!newest) return { live: new Set(), kept, lost };
  const reasons = new Map<number, string>();
  for (const version of referenced) reasons.set(version, 'a model was made from it');
  for (const tag of tags) reasons.set(tag.version, `the tag "${tag.name}"`);
  for (const pin of pins) reasons.set(pin.version, `pinned by ${pin.by}: ${pin.reason}`);
  const oldest = clock.now() - retentionMs;
  const live = await findLiveFiles(eachCommit(table, newest.version), (version, supersededAt) => {
    if (supersededAt >= oldest) return true;
    const because = reasons.get(version);
    if (because === undefined) lost.unshift(version);
    else kept.unshift({ version, because });
    return because !== undefined;
  });
  return { live, kept, lost };
}

async function* eachCommit(table: DeltaTable, newest: number): AsyncGenerator<LogCommit> {
  for (let first = 0; first <= newest; first += commitsAtOnce) {
    const count = Math.min(commitsAtOnce, newest - first + 1);
    yield* await Promise.all(Array.from({ length: count }, (_, index) => table.readCommit(first + index)));
  }
}

function eachFile(blobs: BlobStore, dataset: string): AsyncGenerator<BlobProperties> {
  return eachItem(async (page) => {
    const { blobs: items, cursor } = await blobs.list(blobContainers.datasets, {
      prefix: `${dataset}/`,
      limit: page.limit,
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    });
    return cursor === undefined ? { items } : { items, cursor };
  }, pageSize);
}

/** An ingestion that stored the same content meanwhile has made it young again. */
async function removeUnchanged(blobs: BlobStore, { ref, etag }: BlobProperties): Promise<boolean> {
  try {
    return await blobs.delete(ref, { ifMatch: etag });
  } catch (error) {
    if (isAppError(error, 'PRECONDITION_FAILED')) return false;
    throw error;
  }
}
