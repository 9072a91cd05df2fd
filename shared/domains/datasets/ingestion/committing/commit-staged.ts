import type { Clock } from '../../../../core/clock.ts';
import { AppError } from '../../../../core/errors.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { buildStats } from '../../../../formats/delta/stats/stats.ts';
import type { BlobReader, BlobRenewer, BlobWriter } from '../../../../platform/storage/blobs.ts';
import type { VersionRef } from '../../entities.ts';
import type { Quarantine } from '../../quarantine/quarantine.ts';
import type { Column } from '../../schema/column.ts';
import { dataBlob, dataPath } from '../../tables/data-file.ts';
import { toDeltaColumns } from '../../tables/delta-columns.ts';
import { sortFiles } from '../../tables/sort-files.ts';
import { catchUp, type CatchUpDeps } from '../../versions/projection.ts';
import { orphanMs } from '../../versions/vacuum.ts';
import { type Manifest, readManifest, type Staged, type StagedFile } from '../staging/manifest.ts';
import { isMissingBlob } from '../staging/missing-blob.ts';
import { freshMs } from '../staging/store-file.ts';
import { type Committer, planCommitInfo } from './commit-info.ts';
import { findKnownVersion, planTransactions } from './known-content.ts';
import { type MergedRows, mergeRows, type MergeRowsDeps } from './merge-rows.ts';
import { placeAppended, type PlacedFile, placeOverwritten } from './place-files.ts';
import { planContent } from './plan-content.ts';
import { planSchema } from './plan-schema.ts';
import { StaleStagingError } from './stale-staging-error.ts';

export interface CommitDeps extends CatchUpDeps, MergeRowsDeps {
  readonly blobs: BlobReader & BlobWriter & BlobRenewer;
  readonly quarantine: Pick<Quarantine, 'record'>;
  readonly clock: Clock;
}

/** A vacuum removes staged files no earlier: they were at most `freshMs` old when the manifest was written. */
const maxStagedMs = orphanMs - freshMs;

/**
 * Commits a staged file as the next version of its dataset, or finds the version that it has become already. Plans
 * again whenever another writer commits first.
 *
 * @throws StaleStagingError when the file has to be staged again: the table's columns changed after it was read, or
 *   what was staged is gone or too old
 */
export async function commitStaged(
  deps: CommitDeps,
  staged: Staged,
  committer: Committer,
  signal: AbortSignal,
): Promise<VersionRef> {
  const { tables, blobs, quarantine, clock } = deps;
  const { dataset } = staged;
  const manifest = await openManifest(deps, staged);
  let known: number | undefined;
  const committed = await tables.of(dataset).commit(async (snapshot) => {
    signal.throwIfAborted();
    known = findKnownVersion(snapshot, manifest);
    if (known !== undefined) return undefined;
    const now = clock.now();
    const schema = planSchema(snapshot, manifest, now);
    const { sequence, merged } = await place(deps, snapshot, manifest, signal);
    const content = planContent(snapshot, sequence, statsOf(manifest.columns), now);
    // All rows are in the table already, or none is good: there is no new version to commit.
    if (snapshot !== undefined && schema.length === 0 && content.length === 0) {
      known = snapshot.version;
      return undefined;
    }
    await storeCopies(blobs, dataset, snapshot, sequence);
    const version = (snapshot?.version ?? -1) + 1;
    return [
      planCommitInfo(manifest, committer, merged),
      ...schema,
      ...planTransactions(manifest, version, now),
      ...content,
    ];
  });
  const version = known ?? committed.version;
  if (manifest.quarantine && manifest.rowsQuarantined > 0) await quarantine.record(manifest.quarantine);
  const { sha256, rows } = await catchUp(deps, dataset, version);
  return { dataset, version, sha256, rows };
}

async function openManifest({ blobs, clock }: CommitDeps, staged: Staged): Promise<Manifest> {
  const found = await readManifest(blobs, staged);
  if (!found) throw new StaleStagingError(`the manifest ${staged.manifest} is gone`);
  if (clock.now() - found.writtenAt > maxStagedMs)
    throw new StaleStagingError(`the file was staged more than ${maxStagedMs} ms ago`);
  return found.manifest;
}

interface Placed {
  readonly sequence: readonly PlacedFile[];
  readonly merged?: MergedRows;
}

async function place(
  deps: CommitDeps,
  snapshot: Snapshot | undefined,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Placed> {
  switch (manifest.mode) {
    case 'append': {
      const existing = snapshot ? sortFiles(snapshot).map(({ path }) => ({ path })) : [];
      return { sequence: [...existing, ...placeAppended(snapshot, manifest.files)] };
    }
    case 'overwrite':
      return { sequence: placeOverwritten(snapshot, manifest.files) };
    case 'merge': {
      const merged = await mergeRows(deps, snapshot, manifest, signal);
      return { sequence: merged.sequence, merged };
    }
  }
}

function statsOf(columns: readonly Column[]) {
  const types = new Map(toDeltaColumns(columns).map(({ name, type }) => [name, type]));
  return ({ rows, stats }: StagedFile): string =>
    buildStats({
      rows,
      columns: stats.columns.flatMap(({ column: name, nulls, min, max }) => {
        const type = types.get(name);
        if (type === undefined) return [];
        return [
          { name, type, nulls, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
        ];
      }),
    });
}

/**
 * Copies content that the version holds under another path already.
 *
 * @throws UNPROCESSABLE when the table has lost that file; StaleStagingError when it was staged and is gone
 */
async function storeCopies(
  blobs: BlobReader & BlobWriter,
  dataset: string,
  snapshot: Snapshot | undefined,
  sequence: readonly PlacedFile[],
): Promise<void> {
  for (const { path, staged } of sequence) {
    const original = staged && dataPath(staged.sha256);
    if (original === undefined || path === original) continue;
    try {
      const { body } = await blobs.open(dataBlob(dataset, original));
      await blobs.put(dataBlob(dataset, path), body, { contentType: 'application/vnd.apache.parquet' });
    } catch (error) {
      if (!isMissingBlob(error)) throw error;
      if (snapshot?.files.has(original) === true)
        throw new AppError(
          'UNPROCESSABLE',
          `The table of "${dataset}" is damaged: its data file ${original} is missing from storage. Put the file back, or overwrite the dataset.`,
          { dataset, path: original },
          error,
        );
      throw new StaleStagingError(`the data file ${original} of "${dataset}" is gone`, { cause: error });
    }
  }
}
