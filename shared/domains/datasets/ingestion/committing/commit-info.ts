import type { Action } from '../../../../formats/delta/log/actions.ts';
import { toBody } from '../../../../platform/storage/page.ts';
import type { Lineage } from '../../entities.ts';
import { lineageMember } from '../../tables/describe-version.ts';
import type { Manifest } from '../staging/manifest.ts';
import type { MergedRows } from './merge-rows.ts';

/** Who commits. */
export interface Committer {
  readonly runId: string;
  readonly codeVersion: string;
}

/** The provenance of a commit, with the version's lineage. */
export function planCommitInfo(
  manifest: Manifest,
  { runId, codeVersion }: Committer,
  merged: Pick<MergedRows, 'updated' | 'inserted'> | undefined,
): Action {
  const { mode, keys, source, sourceSha256, rowsIn, rowsQuarantined, notes } = manifest;
  const lineage: Lineage = {
    source,
    sourceSha256,
    runId,
    codeVersion,
    rowsIn,
    rowsQuarantined,
    ...(notes.length > 0 ? { notes } : {}),
  };
  const metrics = merged && {
    numTargetRowsUpdated: String(merged.updated),
    numTargetRowsInserted: String(merged.inserted),
  };
  return {
    kind: 'commitInfo',
    info: {
      operation: mode.toUpperCase(),
      operationParameters: { mode, ...(mode === 'merge' ? { keys: keys.join(',') } : {}) },
      ...(metrics ? { operationMetrics: metrics } : {}),
      engineInfo: `slipway/${codeVersion}`,
      isBlindAppend: mode === 'append',
      [lineageMember]: toBody(lineage),
    },
  };
}
