import { AppError, isAppError, toAppError } from '../../core/errors.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import { topics } from '../../core/names/resources.ts';
import type { BatchOperation, MetadataStore } from '../storage/documents.ts';
import { toBody, type Wrapped } from '../storage/page.ts';
import type { MessageQueue } from '../storage/queue.ts';
import { type Announcement, toMessage } from './announced-event.ts';

/** How long a request waits for the queue; the sweep publishes the rest. */
const publishTimeoutMs = 2_000;
/** Younger announcements may still be published by the request that wrote them. */
const sweepAfterMs = 15_000;
const sweepPage = 100;
/** Bounds one sweep to 2,000 messages per container; the next one continues. */
const maxSweepPages = 20;

/** The operation that stores an announcement until it is sent, in the batch of its event. */
export function outboxOperation(announcement: Announcement): BatchOperation {
  return {
    kind: 'create',
    id: outboxId(announcement.eventId),
    body: toBody({ kind: 'outbox', announcement }),
  };
}

const outboxId = (eventId: string) => `outbox-${eventId}`;

export interface OutboxDeps {
  readonly store: Pick<MetadataStore, 'list' | 'delete'>;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

/**
 * Publishes announcements to the topic `events`. They are stored with the change, sent after it and then deleted; the
 * sweep sends those that a crash or an outage left behind. An event can be sent twice, under the same message id.
 */
export class Outbox {
  readonly #deps: OutboxDeps;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Sends announcements just written. Never throws: the change is committed, and the sweep sends the rest. */
  async publish(announcements: readonly Announcement[]): Promise<void> {
    if (announcements.length === 0) return;
    try {
      const limit = { timeoutMs: publishTimeoutMs, toError: tooSlow };
      await withTimeout(limit, () => this.#send(announcements));
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#deps.logger.log('warn', 'events left in the outbox', {
        count: announcements.length,
        code,
        reason: message,
      });
    }
  }

  /**
   * Sends the announcements left behind in a container, oldest first.
   *
   * @returns the number sent
   * @throws as the store's `list` and the queue's `send`; the next sweep retries
   */
  async sweep(container: string): Promise<number> {
    let sent = 0;
    let cursor: string | undefined;
    for (let pages = 0; pages < maxSweepPages; pages += 1) {
      const page = await this.#deps.store.list<Wrapped<'announcement', Announcement>>({
        container,
        filter: {
          op: 'and',
          filters: [
            { op: 'compare', test: 'eq', path: ['kind'], value: 'outbox' },
            {
              op: 'compare',
              test: 'lte',
              path: ['announcement', 'at'],
              value: this.#deps.clock.now() - sweepAfterMs,
            },
          ],
        },
        sort: { path: ['announcement', 'at'], direction: 'asc' },
        limit: sweepPage,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const announcements = page.documents.map(({ body }) => body.announcement);
      if (announcements.length > 0) await this.#send(announcements);
      sent += announcements.length;
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    return sent;
  }

  async #send(announcements: readonly Announcement[]): Promise<void> {
    const { queue, store } = this.#deps;
    await queue.send(topics.events, announcements.map(toMessage));
    for (const { container, partition, eventId } of announcements) {
      await store.delete({ container, partition, id: outboxId(eventId) }).catch((error: unknown) => {
        // Another process sent and deleted it.
        if (!isAppError(error, 'NOT_FOUND')) throw error;
      });
    }
  }
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `The queue did not take the events within ${timeoutMs} ms.`);
}
