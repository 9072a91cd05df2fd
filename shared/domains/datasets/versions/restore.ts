import { type Action, type AddFile, removeFile } from '../../../formats/delta/log/actions.ts';
import { AppError } from '../../../core/errors.ts';
import { mapConcurrent } from '../../../core/async/map-concurrent.ts';
import type { Snapshot } from '../../../formats/delta/snapshots/snapshot.ts';
import type { BlobStore } from '../../../platform/storage/blobs.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { DatasetStore } from '../dataset-store.ts';
import type { DatasetVersion } from '../entities.ts';
import { dataBlob } from '../tables/data-file.ts';
import { lineageMember } from '../tables/describe-version.ts';
import { catchUp } from './projection.ts';
import { planReplaced } from './replaced-rows.ts';
import { readOrder } from '../tables/row-order.ts';
import type { Tables } from '../tables/tables.ts';

const maxHeads = 16;

export interface RestoreDeps {
  readonly tables: Tables;
  readonly store: DatasetStore;
  readonly blobs: BlobStore;
  readonly pace: Pace;
}

/**
 * Makes an earlier version's content and columns the newest ones, as a version of its own: nothing of what came between is
 * lost. A table that is like that already stays as it is.
 *
 * @throws NOT_FOUND; UNPROCESSABLE for a version some of whose files were removed when its time was over
 */
export async function restoreVersion(
  deps: RestoreDeps,
  dataset: string,
  target: number,
  lineage: { readonly by: string; readonly codeVersion: string },
): Promise<DatasetVersion> {
  const { tables, blobs, pace } = deps;
  const table = tables.of(dataset);
  const wanted = await table.at(target);
  await holdFiles(blobs, dataset, wanted, await table.latest());
  const { version } = await table.commit((snapshot) => {
    const now = pace.clock.now();
    const there: ReadonlyMap<string, AddFile> = snapshot?.files ?? new Map<string, AddFile>();
    const removes = [...there.values()]
      .filter(({ path }) => !wanted.files.has(path))
      .map((file) => removeFile(file, { deletionTimestamp: now, dataChange: true }));
    const adds = [...wanted.files.values()].flatMap((file): Action[] => {
      const known = there.get(file.path);
      if (known && readOrder(known.tags) === readOrder(file.tags)) return [];
      return [{ kind: 'add', file: { ...file, dataChange: known === undefined } }];
    });
    const hasColumns = snapshot?.metadata.schemaString === wanted.metadata.schemaString;
    if (hasColumns && removes.length + adds.length === 0) return Promise.resolve(undefined);
    const metadata = { ...snapshot?.metadata, ...wanted.metadata };
    const next = (snapshot?.version ?? -1) + 1;
    return Promise.resolve([
      {
        kind: 'commitInfo',
        info: {
          operation: 'RESTORE',
          operationParameters: { version: String(target) },
          engineInfo: `slipway/${lineage.codeVersion}`,
          isBlindAppend: false,
          [lineageMember]: toBody(lineage),
        },
      },
      ...(hasColumns ? [] : [{ kind: 'metaData', metadata } satisfies Action]),
      planReplaced(next, now),
      ...removes,
      ...adds,
    ]);
  });
  return catchUp(deps, dataset, version);
}

/**
 * Sees that all files are there, and that those which are not live stay: a vacuum that has found before that nothing
 * needs them deletes none that changed since.
 */
async function holdFiles(
  blobs: BlobStore,
  dataset: string,
  { version, files }: Snapshot,
  newest: Snapshot | undefined,
): Promise<void> {
  const held = mapConcurrent(files.keys(), maxHeads, async (path) => {
    const blob = dataBlob(dataset, path);
    const isLive = newest?.files.has(path) === true;
    return { path, isThere: isLive ? (await blobs.head(blob)) !== undefined : await blobs.touch(blob) };
  });
  for await (const { path, isThere } of held)
    if (!isThere)
      throw new AppError(
        'UNPROCESSABLE',
        `Version ${version} of "${dataset}" cannot be restored: its data was removed after the retention. Pin or tag versions that are to stay.`,
        { dataset, version, path },
      );
}
