import { createAuditedWriter } from './audit.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { Pace } from '../../../shared/platform/storage/optimistic.ts';
import { createTracking, type Tracking } from '../../../shared/domains/tracking/tracking.ts';
import { pace as realPace } from '../stores.ts';

/** Tracking as one process has it, on a store of the test's. */
export function openTracking(
  store: MetadataStore,
  { pace = realPace, runSilenceMinutes = 60 }: { pace?: Pace; runSilenceMinutes?: number } = {},
): Tracking {
  const audited = createAuditedWriter(store, { pace });
  return createTracking({ store, audited, ...pace, runSilenceMinutes });
}
