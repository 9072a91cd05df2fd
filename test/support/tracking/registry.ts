import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { ModelVersionView } from '../../../shared/domains/registry/entities.ts';
import { Registration, type RegistrationDeps } from '../../../shared/domains/registry/registration.ts';
import * as registries from '../../../shared/domains/registry/registry.ts';
import { toNewVersion, type TrainedVersion } from '../../../shared/domains/registry/trained-version.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { type AuditedWriterOptions, createAuditedWriter } from './audit.ts';

/** A registry over a store; its announcements go to `sent`. */
export function createRegistry(
  store: MetadataStore,
  { clock = systemClock, ids = systemIds, sent = [] }: AuditedWriterOptions = {},
): registries.Registry {
  const writer = createAuditedWriter(store, { clock, ids, sent });
  return registries.createRegistry({ store, writer, clock, ids });
}

/** Registers a trained version without its files: one for each pipeline run. */
export function registerTrained(
  registry: registries.Registry,
  trained: TrainedVersion,
): Promise<ModelVersionView> {
  return registry.versions.create(toNewVersion(trained), { once: trained.lineage.runId, createModel: true });
}

/** Registers from sources; by default nothing is logged and nothing stored. */
export function createRegistration(
  registry: registries.Registry,
  outside: Partial<Omit<RegistrationDeps, 'registry'>> = {},
): Registration {
  return new Registration({
    registry,
    blobs: {
      list: async () => ({ blobs: [] }),
      head: async () => undefined,
    },
    inspect: () => Promise.reject(new Error('no model is opened here')),
    writeModelFolder: () => Promise.reject(new Error('no model folder is written here')),
    lookup: {
      findRun: async () => undefined,
      findLoggedModel: async () => undefined,
      noteVersion: async () => {},
    },
    logger: silentLogger,
    ...outside,
  });
}
