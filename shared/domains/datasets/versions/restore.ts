import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { mapConcurrent } from '../../../core/async/map-concurrent.ts';
import { type Action, type AddFile, removeFile } from '../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../formats/delta/snapshots/snapshot.ts';
import type { BlobReader, BlobRenewer } from '../../../platform/storage/blobs.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { DatasetVersion } from '../entities.ts';
import { dataBlob } from '../tables/data-file.ts';
import { lineageMember } from '../tables/describe-version.ts';
import { readOrder } from '../tables/row-order.ts';
import { catchUp, type CatchUpDeps } from './projection.ts';
import { planReplaced } from './replaced-rows.ts';

const maxHeads = 16;

export interface RestoreDeps extends CatchUpDeps {
  readonly blobs: BlobReader & BlobRenewer;
  readonly clock: Clock;
}

/**
 * Makes the rows and columns of an earlier version the newest ones, as a new version. Commits nothing if the table has
 * them already.
 *
 * @throws NOT_FOUND; UNPROCESSABLE for a version whose data files were vacuumed
 */
export async function restoreVersion(
  deps: RestoreDeps,
  dataset: string,
  target: number,
  lineage: { readonly by: string; readonly codeVersion: string },
): Promise<DatasetVersion> {
  const { tables, blobs, clock } = deps;
  const table = tables.of(dataset);
  const wanted = await table.at(target);
  await holdFiles(blobs, dataset, wanted, await table.latest());
  const { version } = await table.commit((snapshot) => {
    const now = clock.now();
    const present: ReadonlyMap<string, AddFile> = snapshot?.files ?? new Map<string, AddFile>();
    const removes = [...present.values()]
      .filter(({ path }) => !wanted.files.has(path))
      .map((file) => removeFile(file, { deletionTimestamp: now, dataChange: true }));
    const adds = [...wanted.files.values()].flatMap((file): Action[] => {
      const known = present.get(file.path);
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
 * Checks that all files of a version exist, and touches those that the newest version lacks: a concurrent vacuum that
 * has listed them does not delete files that have changed since.
 */
async function holdFiles(
  blobs: RestoreDeps['blobs'],
  dataset: string,
  { version, files }: Snapshot,
  newest: Snapshot | undefined,
): Promise<void> {
  const held = mapConcurrent(files.keys(), maxHeads, async (path) => {
    const blob = dataBlob(dataset, path);
    const isLive = newest?.files.has(path) === true;
    return { path, exists: isLive ? (await blobs.head(blob)) !== undefined : await blobs.touch(blob) };
  });
  for await (const { path, exists } of held)
    if (!exists)
      throw new AppError(
        'UNPROCESSABLE',
        `Version ${version} of "${dataset}" cannot be restored: its data was removed after the retention. Pin or tag versions that you want to keep.`,
        { dataset, version, path },
      );
}
