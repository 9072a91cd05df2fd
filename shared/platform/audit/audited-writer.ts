import type { BatchOperation, MetadataStore } from '../storage/documents.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { isAnnounced, toAnnouncement } from './announced-event.ts';
import { type AuditEntry, type AuditEvent, auditOperation, toAuditEvent } from './event.ts';
import { type Outbox, outboxOperation } from './outbox.ts';

export interface CommitResult {
  /** One for each of the caller's operations. */
  readonly etags: readonly (string | undefined)[];
  readonly events: readonly AuditEvent[];
}

export interface AuditedWriterDeps {
  readonly store: Pick<MetadataStore, 'batch'>;
  readonly outbox: Pick<Outbox, 'publish'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * Writes changes and their events atomically, in one batch. Announced events are then published to the topic `events`,
 * by this or later by the outbox's sweep.
 */
export class AuditedWriter {
  readonly #deps: AuditedWriterDeps;
  #order = 0;

  constructor(deps: AuditedWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Commits a batch of up to 100 operations, which includes an event for each entry and its outbox document. Does not
   * fail when the queue is unavailable.
   *
   * @throws as `MetadataStore.batch`; `details.operation` is an index into `operations`
   */
  async commit(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
    entries: readonly AuditEntry[],
  ): Promise<CommitResult> {
    const events = entries.map((entry) => toAuditEvent(entry, this.#deps, this.#nextOrder()));
    const announcements = events
      .filter(isAnnounced)
      .map((event) => toAnnouncement(container, partition, event));
    const etags = await this.#deps.store.batch(container, partition, [
      ...operations,
      ...events.map(auditOperation),
      ...announcements.map(outboxOperation),
    ]);
    await this.#deps.outbox.publish(announcements);
    return { etags: etags.slice(0, operations.length), events };
  }

  /** Orders the events of one millisecond; wraps around long after it. */
  #nextOrder(): number {
    this.#order = (this.#order + 1) % 1_000_000;
    return this.#order;
  }
}
