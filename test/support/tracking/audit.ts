import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { Pace } from '../../../shared/platform/storage/optimistic.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import { pace as systemPace } from '../stores.ts';

/** Writes changes with their events; what it announces is put into `sent`. */
export function createAuditedWriter(
  store: MetadataStore,
  { pace = systemPace, sent = [] }: { readonly pace?: Pace; readonly sent?: OutgoingMessage[] } = {},
): AuditedWriter {
  const queue = {
    send: async (_: string, messages: readonly OutgoingMessage[]) => void sent.push(...messages),
  };
  const outbox = new Outbox({ store, queue, clock: pace.clock, logger: silentLogger });
  return new AuditedWriter({ store, outbox, ...pace });
}
