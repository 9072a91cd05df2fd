import { AppError, isAppError } from '../../../../core/errors.ts';
import { sha256 } from '../../../../core/ids.ts';
import type { Action } from '../../../../formats/delta/log/actions.ts';
import { createTable, withColumns } from '../../../../formats/delta/create-table.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { buildStats } from '../../../../formats/delta/stats/stats.ts';
import type { BlobStore } from '../../../../platform/storage/blobs.ts';
import type { Pace } from '../../../../platform/storage/optimistic.ts';
import { toBody } from '../../../../platform/storage/page.ts';
import type { DatasetStore } from '../../dataset-store.ts';
import type { Lineage, VersionRef } from '../../entities.ts';
import type { Column } from '../../schema/column.ts';
import { configureChunkSize } from '../../tables/chunk-size.ts';
import { dataBlob } from '../../tables/data-file.ts';
import { lineageMember } from '../../tables/describe-version.ts';
import { fromDeltaColumns, toDeltaColumns } from '../../tables/delta-columns.ts';
import { catchUp } from '../../versions/projection.ts';
import { sortFiles } from '../../tables/sort-files.ts';
import type { Tables } from '../../tables/tables.ts';
import type { MergeRows } from './merge-rows.ts';
import {
  findKnownVersion,
  placeAppended,
  type PlacedFile,
  placeOverwritten,
  planContent,
  planTransactions,
} from './plan-commit.ts';
import {
  manifestBlob,
  readManifest,
  type Manifest,
  type Staged,
  type StagedFile,
} from '../staging/manifest.ts';

export interface CommitDeps {
  readonly tables: Tables;
  readonly store: DatasetStore;
  readonly blobs: BlobStore;
  readonly mergeRows: MergeRows;
  readonly pace: Pace;
}

/** The table has other columns than those the file was read by: it is to be read again. */
export class SchemaMoved extends Error {
  override readonly name = 'SchemaMoved';
}

/**
 * Makes a staged file the next version of its dataset, or finds the one that it already is. Against others who
 * commit at the same time it is planned anew until it is first; nothing of it is seen before.
 *
 * @throws SchemaMoved when somebody changed the columns since the file was read
 */
export async function commitStaged(
  deps: CommitDeps,
  staged: Staged,
  lineage: { readonly runId: string; readonly codeVersion: string },
  signal: AbortSignal,
): Promise<VersionRef> {
  const { tables, store, pace } = deps;
  const { dataset } = staged;
  const manifest = await readManifest(deps.blobs, { ...manifestBlob(dataset, ''), name: staged.manifest });
  let known: number | undefined;
  const committed = await tables.of(dataset).commit(async (snapshot) => {
    signal.throwIfAborted();
    known = findKnownVersion(snapshot, manifest);
    if (known !== undefined) return undefined;
    const now = pace.clock.now();
    const schema = planSchema(dataset, snapshot, manifest, now);
    const { sequence, merged } = await place(deps, snapshot, manifest, signal);
    const content = planContent(snapshot, sequence, statsOf(manifest.columns), now);
    // The same rows once more, or no good row at all: there is nothing to be a version of.
    if (snapshot !== undefined && schema.length === 0 && content.length === 0) {
      known = snapshot.version;
      return undefined;
    }
    await storeCopies(deps.blobs, dataset, sequence);
    const version = (snapshot?.version ?? -1) + 1;
    return [
      commitInfo(manifest, lineage, merged),
      ...schema,
      ...planTransactions(manifest, version, now),
      ...content,
    ];
  });
  const version = known ?? committed.version;
  if (manifest.quarantine && manifest.rowsQuarantined > 0) await store.recordQuarantine(manifest.quarantine);
  const { sha256: digest, rows } = await catchUp(deps, dataset, version);
  return { dataset, version, sha256: digest, rows };
}

/** What the table's columns become. */
function planSchema(
  dataset: string,
  snapshot: Snapshot | undefined,
  manifest: Manifest,
  createdTime: number,
): readonly Action[] {
  const columns = toDeltaColumns(manifest.columns);
  if (!snapshot) {
    const configuration = configureChunkSize(manifest.chunkSize);
    return createTable({
      id: toUuid(sha256(`slipway\n${dataset}`)),
      name: dataset,
      columns,
      configuration,
      createdTime,
    });
  }
  const current = fromDeltaColumns(snapshot.columns);
  if (isSame(current, manifest.columns)) return [];
  // Rows were read by the columns of an earlier version: only if those still stand may the new ones be added.
  const extends_ = current.every((column, index) =>
    isSame([column], manifest.columns.slice(index, index + 1)),
  );
  if (!extends_ || manifest.schemaVersion < 0) throw new SchemaMoved(dataset);
  return [{ kind: 'metaData', metadata: withColumns(snapshot.metadata, columns) }];
}

function isSame(a: readonly Column[], b: readonly Column[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, type, nullable }, index) => {
      const other = b[index]!;
      return name === other.name && type === other.type && nullable === other.nullable;
    })
  );
}

interface Placed {
  readonly sequence: readonly PlacedFile[];
  /** Rows that a merge changed and added. */
  readonly merged?: { readonly updated: number; readonly inserted: number };
}

async function place(
  deps: CommitDeps,
  snapshot: Snapshot | undefined,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Placed> {
  const there = snapshot ? sortFiles(snapshot).map(({ path }) => ({ path })) : [];
  switch (manifest.mode) {
    case 'append':
      return { sequence: [...there, ...placeAppended(snapshot, manifest.files)] };
    case 'overwrite':
      return { sequence: placeOverwritten(snapshot, manifest.files) };
    case 'merge':
      return deps.mergeRows(snapshot, manifest, signal);
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

/** Contents that the table has under another path already are stored once more, under their own. */
async function storeCopies(
  blobs: BlobStore,
  dataset: string,
  sequence: readonly PlacedFile[],
): Promise<void> {
  for (const { path, staged } of sequence) {
    if (!staged || path === `${staged.sha256}.parquet`) continue;
    try {
      const { body } = await blobs.open(dataBlob(dataset, `${staged.sha256}.parquet`));
      await blobs.put(dataBlob(dataset, path), body, { contentType: 'application/vnd.apache.parquet' });
    } catch (error) {
      if (!isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError(
        'UNAVAILABLE',
        `A staged data file of "${dataset}" has gone: the file is to be read again.`,
        {},
        error,
      );
    }
  }
}

function commitInfo(
  manifest: Manifest,
  { runId, codeVersion }: { readonly runId: string; readonly codeVersion: string },
  merged: Placed['merged'],
): Action {
  const lineage: Lineage = {
    source: manifest.source,
    sourceSha256: manifest.sourceSha256,
    runId,
    codeVersion,
    rowsIn: manifest.rowsIn,
    rowsQuarantined: manifest.rowsQuarantined,
    ...(manifest.notes.length > 0 ? { notes: manifest.notes } : {}),
  };
  return {
    kind: 'commitInfo',
    info: {
      operation: manifest.mode.toUpperCase(),
      operationParameters: {
        mode: manifest.mode,
        ...(manifest.mode === 'merge' ? { keys: manifest.keys.join(',') } : {}),
      },
      ...(merged
        ? {
            operationMetrics: {
              numTargetRowsUpdated: String(merged.updated),
              numTargetRowsInserted: String(merged.inserted),
            },
          }
        : {}),
      engineInfo: `slipway/${codeVersion}`,
      isBlindAppend: manifest.mode === 'append',
      [lineageMember]: toBody(lineage),
    },
  };
}

function toUuid(hash: string): string {
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}
