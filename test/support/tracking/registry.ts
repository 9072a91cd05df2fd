import { silentLogger } from '../../../shared/core/logger.ts';
import { Registration, type RegistrationOptions } from '../../../shared/domains/registry/registration.ts';
import { Registry } from '../../../shared/domains/registry/registry.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { Pace } from '../../../shared/platform/storage/optimistic.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import { createAuditedWriter } from './audit.ts';
import { pace as systemPace } from '../stores.ts';

/** A registry over a store; what it announces is put into `sent`. */
export function createRegistry(
  store: MetadataStore,
  { pace = systemPace, sent = [] }: { readonly pace?: Pace; readonly sent?: OutgoingMessage[] } = {},
): Registry {
  return new Registry({ store, writer: createAuditedWriter(store, { pace, sent }), pace });
}

/** Registers from sources; where nothing is logged and nothing stored unless the test says so. */
export function createRegistration(
  registry: Registry,
  outside: Partial<Omit<RegistrationOptions, 'registry'>> = {},
): Registration {
  return new Registration({
    registry,
    blobs: {
      list: async () => ({ blobs: [] }),
      head: async () => undefined,
    } as Partial<BlobStore> as BlobStore,
    inspect: () => Promise.reject(new Error('nothing is to be opened here')),
    lookup: {
      findRun: async () => undefined,
      findLoggedModel: async () => undefined,
      noteVersion: async () => {},
    },
    logger: silentLogger,
    ...outside,
  });
}
