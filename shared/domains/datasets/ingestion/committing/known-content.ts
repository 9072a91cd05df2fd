import type { Action } from '../../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { hashSource } from '../../entities.ts';
import { planReplaced, replacedAppId } from '../../versions/replaced-rows.ts';
import type { Manifest } from '../staging/manifest.ts';

/**
 * The version that already holds a file. Appending or merging equal bytes again changes nothing, whatever the
 * file's name, unless all rows were replaced since.
 */
export function findKnownVersion(
  snapshot: Snapshot | undefined,
  manifest: Pick<Manifest, 'source' | 'sourceSha256' | 'mode'>,
): number | undefined {
  const ingested = snapshot?.transactions.get(sourceAppId(manifest));
  if (ingested) return ingested.version;
  if (manifest.mode === 'overwrite') return undefined;
  const known = snapshot?.transactions.get(contentAppId(manifest));
  const replaced = snapshot?.transactions.get(replacedAppId)?.version ?? -1;
  return known && known.version >= replaced ? known.version : undefined;
}

/** The transactions by which `findKnownVersion` recognises the file next time. */
export function planTransactions(
  manifest: Pick<Manifest, 'source' | 'sourceSha256' | 'mode'>,
  version: number,
  now: number,
): Action[] {
  const known = [sourceAppId(manifest), contentAppId(manifest)].map((appId): Action => ({
    kind: 'txn',
    transaction: { appId, version, lastUpdated: now },
  }));
  return manifest.mode === 'overwrite' ? [...known, planReplaced(version, now)] : known;
}

/** Place and ETag: an event that is delivered again. */
function sourceAppId({ source }: Pick<Manifest, 'source'>): string {
  return `source:${hashSource(source)}`;
}

/** Bytes: the same file under another name. */
function contentAppId({ sourceSha256 }: Pick<Manifest, 'sourceSha256'>): string {
  return `content:${sourceSha256}`;
}
