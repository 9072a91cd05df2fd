import { z } from 'zod';
import type { Clock } from '../../../core/clock.ts';
import { isAppError } from '../../../core/errors.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import type { DeltaTable } from '../../../formats/delta/delta-table.ts';
import type { LogCommit } from '../../../formats/delta/log/actions.ts';
import type { BlobLister, BlobProperties, BlobRemover } from '../../../platform/storage/blobs.ts';
import { eachItem } from '../../../platform/storage/page.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { parseDataPath } from '../tables/data-file.ts';
import type { Tables } from '../tables/tables.ts';
import { findLiveFiles } from './live-files.ts';
import type { Pins } from './pins.ts';
import type { Tags } from './tags.ts';

/** How long files are kept that belong to no version: an ingestion may be about to commit them. */
export const orphanMs = 7 * 24 * 3_600_000;

export interface VacuumDeps {
  readonly blobs: BlobRemover & BlobLister;
  readonly catalog: Pick<Catalog, 'list' | 'getLatestVersion'>;
  readonly tags: Pick<Tags, 'listAll'>;
  readonly pins: Pick<Pins, 'listAll'>;
  readonly tables: Pick<Tables, 'of'>;
  readonly clock: Clock;
  /** The versions of a dataset that models were trained on. */
  readonly findReferenced: (dataset: string) => Promise<ReadonlySet<number>>;
}

export interface VacuumOptions {
  /** How long a superseded version stays readable when nothing keeps it. */
  readonly retentionMs: number;
}

export interface VacuumRequest {
  /** Reports what would be removed, and removes nothing. */
  readonly dryRun: boolean;
  /** The time limit of a vacuum; the next one continues. */
  readonly budgetMs: number;
}

export const vacuumedSchema = z.object({
  dataset: z.string(),
  /** The first hundred. */
  removed: z.array(z.string()),
  files: z.int(),
  sizeBytes: z.int(),
  /** Versions past the retention that can still be read in full, and what keeps each. */
  kept: z.array(z.object({ version: z.int(), because: z.string() })),
  /** Versions that have lost data files, or are about to. */
  lost: z.array(z.int()),
  isDone: z.boolean(),
});
export type Vacuumed = z.infer<typeof vacuumedSchema>;

const maxNamed = 100;
const pageSize = 1_000;
const commitsAtOnce = 8;

/**
 * Removes data files that no version to be kept needs. Kept are the newest version, versions within the retention, and
 * those with a tag, a pin or a model. Files younger than seven days stay as well. The log stays forever, so lineage
 * and history of a removed version can still be read.
 */
export class Vacuum {
  readonly #deps: VacuumDeps;
  readonly #options: VacuumOptions;

  constructor(deps: VacuumDeps, options: VacuumOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @throws NOT_FOUND for a dataset without a version */
  async run(dataset: string, { dryRun, budgetMs }: VacuumRequest): Promise<Vacuumed> {
    const { blobs, catalog, clock } = this.#deps;
    const deadline = clock.now() + budgetMs;
    await catalog.getLatestVersion(dataset);
    const { live, kept, lost } = await this.#findLive(dataset);
    const before = clock.now() - orphanMs;
    const removed: string[] = [];
    let files = 0;
    let sizeBytes = 0;
    let isDone = true;
    for await (const blob of eachFile(blobs, dataset)) {
      if (clock.now() >= deadline) {
        isDone = false;
        break;
      }
      const path = blob.ref.name.slice(dataset.length + 1);
      if (!isOurs(path) || live.has(path) || blob.lastModified > before) continue;
      if (!dryRun && !(await removeUnchanged(blobs, blob))) continue;
      files += 1;
      sizeBytes += blob.sizeBytes;
      if (removed.length < maxNamed) removed.push(path);
    }
    return { dataset, removed, files, sizeBytes, kept, lost, isDone };
  }

  /** Vacuums one dataset after the other until the budget is used up. */
  async *runAll(budgetMs: number): AsyncGenerator<Vacuumed> {
    const { catalog, clock } = this.#deps;
    const deadline = clock.now() + budgetMs;
    for await (const { name, latestVersion } of eachItem((page) => catalog.list(page))) {
      const leftMs = deadline - clock.now();
      if (leftMs <= 0) return;
      if (latestVersion !== undefined) yield await this.run(name, { dryRun: false, budgetMs: leftMs });
    }
  }

  async #findLive(
    dataset: string,
  ): Promise<Pick<Vacuumed, 'kept' | 'lost'> & { readonly live: ReadonlySet<string> }> {
    const { tags, pins, tables, clock, findReferenced } = this.#deps;
    const table = tables.of(dataset);
    const [newest, tagged, pinned, referenced] = await Promise.all([
      table.latest(),
      tags.listAll(dataset),
      pins.listAll(dataset),
      findReferenced(dataset),
    ]);
    const kept: { version: number; because: string }[] = [];
    const lost: number[] = [];
    if (!newest) return { live: new Set(), kept, lost };
    const reasons = new Map<number, string>();
    for (const version of referenced) reasons.set(version, 'a model was trained on it');
    for (const tag of tagged) reasons.set(tag.version, `the tag "${tag.name}"`);
    for (const pin of pinned) reasons.set(pin.version, `pinned by ${pin.by}: ${pin.reason}`);
    const oldest = clock.now() - this.#options.retentionMs;
    const live = await findLiveFiles(eachCommit(table, newest.version), (version, supersededAt) => {
      if (supersededAt >= oldest) return true;
      const because = reasons.get(version);
      if (because === undefined) lost.unshift(version);
      else kept.unshift({ version, because });
      return because !== undefined;
    });
    return { live, kept, lost };
  }
}

/** Data files and manifests of ingestions; no file of another writer, no log, no profile. */
function isOurs(path: string): boolean {
  return parseDataPath(path) !== undefined || path.startsWith('_slipway/staged/');
}

async function* eachCommit(table: DeltaTable, newest: number): AsyncGenerator<LogCommit> {
  for (let first = 0; first <= newest; first += commitsAtOnce) {
    const count = Math.min(commitsAtOnce, newest - first + 1);
    yield* await Promise.all(Array.from({ length: count }, (_, index) => table.readCommit(first + index)));
  }
}

function eachFile(blobs: BlobLister, dataset: string): AsyncGenerator<BlobProperties> {
  return eachItem(async (page) => {
    const { blobs: items, cursor } = await blobs.list(blobContainers.datasets, {
      prefix: `${dataset}/`,
      limit: page.limit,
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    });
    return cursor === undefined ? { items } : { items, cursor };
  }, pageSize);
}

/** Spares a file that an ingestion has stored or touched again since it was listed. */
async function removeUnchanged(blobs: BlobRemover, { ref, etag }: BlobProperties): Promise<boolean> {
  try {
    return await blobs.delete(ref, { ifMatch: etag });
  } catch (error) {
    if (isAppError(error, 'PRECONDITION_FAILED')) return false;
    throw error;
  }
}
