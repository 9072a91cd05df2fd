import { createAuditedWriter } from './audit.ts';
import { type Clock, systemClock } from '../../../shared/core/clock.ts';
import { type Ids, systemIds } from '../../../shared/core/ids.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createTracking, type Tracking } from '../../../shared/domains/tracking/tracking.ts';

/** The tracking services of one process, on the test's store. */
export function openTracking(
  store: MetadataStore,
  {
    clock = systemClock,
    ids = systemIds,
    runSilenceMinutes = 60,
  }: { clock?: Clock; ids?: Ids; runSilenceMinutes?: number } = {},
): Tracking {
  const audited = createAuditedWriter(store, { clock, ids });
  return createTracking({ store, audited, clock, ids, runSilenceMinutes });
}
