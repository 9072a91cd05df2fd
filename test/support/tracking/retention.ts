import { ArtifactStore } from '../../../shared/domains/artifacts/artifact-store.ts';
import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { Retention } from '../../../shared/domains/retention/retention.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createRegistry } from './registry.ts';
import { createTimedBlobs, type TimedBlobs } from '../blobs/timed-blobs.ts';
import { openTracking } from './tracking.ts';

export const dayMs = 24 * 3_600_000;
export const graceMs = 30 * dayMs;

/** Tracking, a registry, artifacts and their retention, with a manual clock. */
export function openRetention(
  store: MetadataStore,
  wrap: { readonly store?: MetadataStore; readonly blobs?: (blobs: TimedBlobs) => TimedBlobs } = {},
) {
  let now = Date.UTC(2026, 0, 1);
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const blobs = createTimedBlobs(clock);
  const tracking = openTracking(store, { clock });
  const registry = createRegistry(store, { clock });
  const through = wrap.store ?? store;
  const outbox = new Outbox({ store: through, queue: { send: async () => {} }, clock, logger: silentLogger });
  const artifacts = new ArtifactStore(wrap.blobs?.(blobs) ?? blobs);
  const other = openTracking(through, { clock });
  const retention = new Retention({
    store: through,
    audited: new AuditedWriter({ store: through, outbox, clock, ids: systemIds }),
    artifacts,
    // As in another process: with empty caches.
    experiments: other.experiments,
    locator: other.locator,
    clock,
    logger: silentLogger,
    graceMs,
  });
  return {
    clock,
    tracking,
    registry,
    retention,
    written: blobs.written,
    pass: (ms: number) => {
      now += ms;
    },
    put: (path: string) => blobs.put({ container: 'artifacts', name: path }, ''),
    collect: () => retention.collect({ by: 'test', deadline: Infinity }),
    register: async (source: string, links: { runId?: string; modelId?: string } = {}): Promise<number> => {
      const version = await registry.versions.create(
        {
          model: 'm',
          description: '',
          tags: {},
          source,
          storageLocation: source,
          createdBy: 'test',
          metrics: {},
          params: {},
          lineage: {},
          serving: { status: 'notChecked', reason: '' },
          ...links,
        },
        { createModel: true },
      );
      return version.version;
    },
  };
}
