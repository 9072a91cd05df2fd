import type { BatchOperation, MetadataStore } from '../storage/documents.ts';
import type { Pace } from '../storage/optimistic.ts';
import { isAnnounced, toAnnouncement } from './announced-event.ts';
import { type AuditEntry, type AuditEvent, auditOperation, toAuditEvent } from './event.ts';
import { type Outbox, outboxOperation } from './outbox.ts';

export interface Committed {
  /** Of the caller's operations, in order. */
  readonly etags: readonly (string | undefined)[];
  readonly events: readonly AuditEvent[];
}

/**
 * Writes changes together with the events that tell of them, in one batch: either both happened, or neither. Events
 * that somebody listens to are sent to the topic `events` afterwards, or by the outbox's sweep.
 */
export class AuditedWriter {
  readonly #store: MetadataStore;
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  #order = 0;

  constructor(store: MetadataStore, outbox: Outbox, pace: Pace) {
    this.#store = store;
    this.#outbox = outbox;
    this.#pace = pace;
  }

  /**
   * The operations, an event for each entry and what the outbox needs count together against the batch's 100. A queue
   * that is away fails nothing.
   *
   * @throws as `MetadataStore.batch`; `details.operation` is an index into `operations`
   */
  async commit(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
    entries: readonly AuditEntry[],
  ): Promise<Committed> {
    const events = entries.map((entry) => toAuditEvent(entry, this.#pace, this.#nextOrder()));
    const announcements = events
      .filter(isAnnounced)
      .map((event) => toAnnouncement(container, partition, event));
    const etags = await this.#store.batch(container, partition, [
      ...operations,
      ...events.map(auditOperation),
      ...announcements.map(outboxOperation),
    ]);
    await this.#outbox.publish(announcements);
    return { etags: etags.slice(0, operations.length), events };
  }

  /** Events of one millisecond keep the order in which they were made; it begins anew long after that has passed. */
  #nextOrder(): number {
    this.#order = (this.#order + 1) % 1_000_000;
    return this.#order;
  }
}
