import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { type Clock, systemClock } from '../../../shared/core/clock.ts';
import { type Ids, systemIds } from '../../../shared/core/ids.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';

export interface AuditedWriterOptions {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly sent?: OutgoingMessage[];
}

/** Writes changes with their events; announcements go to `sent`. */
export function createAuditedWriter(
  store: MetadataStore,
  { clock = systemClock, ids = systemIds, sent = [] }: AuditedWriterOptions = {},
): AuditedWriter {
  const queue = {
    send: async (_: string, messages: readonly OutgoingMessage[]) => void sent.push(...messages),
  };
  const outbox = new Outbox({ store, queue, clock, logger: silentLogger });
  return new AuditedWriter({ store, outbox, clock, ids });
}
