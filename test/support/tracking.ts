import { AuditedWriter } from '../../shared/audit/audited-writer.ts';
import { Outbox } from '../../shared/audit/outbox.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import type { MetadataStore } from '../../shared/storage/documents.ts';
import type { Pace } from '../../shared/storage/optimistic.ts';
import { createTracking, type Tracking } from '../../shared/tracking/tracking.ts';
import { pace as realPace } from './stores.ts';

/** Tracking as one process has it, on a store of the test's. */
export function openTracking(
  store: MetadataStore,
  { pace = realPace, runSilenceMinutes = 60 }: { pace?: Pace; runSilenceMinutes?: number } = {},
): Tracking {
  const queue = { send: async () => {} };
  const outbox = new Outbox(store, queue, { now: () => pace.clock.now(), logger: silentLogger });
  const audited = new AuditedWriter(store, outbox, pace);
  return createTracking({ store, audited, pace, runSilenceMinutes });
}
