import { createAuditedWriter } from './audit.ts';
import type { MetadataStore } from '../../shared/storage/documents.ts';
import type { Pace } from '../../shared/storage/optimistic.ts';
import { createTracking, type Tracking } from '../../shared/tracking/tracking.ts';
import { pace as realPace } from './stores.ts';

/** Tracking as one process has it, on a store of the test's. */
export function openTracking(
  store: MetadataStore,
  { pace = realPace, runSilenceMinutes = 60 }: { pace?: Pace; runSilenceMinutes?: number } = {},
): Tracking {
  const audited = createAuditedWriter(store, { pace });
  return createTracking({ store, audited, pace, runSilenceMinutes });
}
