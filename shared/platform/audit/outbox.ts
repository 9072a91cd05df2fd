import { AppError, isAppError, toAppError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import { topics } from '../../core/names.ts';
import type { BatchOperation, MetadataStore } from '../storage/documents.ts';
import { toBody, type Wrapped } from '../storage/page.ts';
import type { MessageQueue } from '../storage/queue.ts';
import { type Announcement, toMessage } from './announced-event.ts';

/** A request does not wait longer than this for the queue; the sweep does the rest. */
const publishTimeoutMs = 2_000;
/** What is younger may still be under way in the request that wrote it. */
const sweepAfterMs = 15_000;
const sweepPage = 100;
/** Bounds one sweep to 2,000 messages a container; the next goes on. */
const maxSweepPages = 20;

/** The operation that keeps an announcement beside its event until it has been sent: in the batch of the change. */
export function outboxOperation(announcement: Announcement): BatchOperation {
  return {
    kind: 'create',
    id: outboxId(announcement.eventId),
    body: toBody({ kind: 'outbox', announcement }),
  };
}

const outboxId = (eventId: string) => `outbox-${eventId}`;

/**
 * Sends announcements to the topic `events`: written with the change, sent after it, and removed once sent. What a
 * crash or an outage left behind is found by `sweep`. An event can so be sent twice; its message id tells.
 */
export class Outbox {
  readonly #store: MetadataStore;
  readonly #queue: Pick<MessageQueue, 'send'>;
  readonly #now: () => number;
  readonly #logger: Logger;

  constructor(
    store: MetadataStore,
    queue: Pick<MessageQueue, 'send'>,
    options: { readonly now: () => number; readonly logger: Logger },
  ) {
    this.#store = store;
    this.#queue = queue;
    this.#now = options.now;
    this.#logger = options.logger;
  }

  /** Sends what was just written. Never throws: the change is made, and the sweep sends what this could not. */
  async publish(announcements: readonly Announcement[]): Promise<void> {
    if (announcements.length === 0) return;
    try {
      const limit = { timeoutMs: publishTimeoutMs, toError: tooSlow };
      await withTimeout(limit, () => this.#send(announcements));
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#logger.log('warn', 'events wait in the outbox', {
        count: announcements.length,
        code,
        reason: message,
      });
    }
  }

  /**
   * Sends what was left behind in a container, oldest first.
   *
   * @returns how many were sent
   * @throws as the store's `list` and the queue's `send`: the next sweep begins anew
   */
  async sweep(container: string): Promise<number> {
    let sent = 0;
    let cursor: string | undefined;
    for (let pages = 0; pages < maxSweepPages; pages += 1) {
      const page = await this.#store.list<Wrapped<'announcement', Announcement>>({
        container,
        filter: {
          op: 'and',
          filters: [
            { op: 'eq', path: ['kind'], value: 'outbox' },
            { op: 'lte', path: ['announcement', 'at'], value: this.#now() - sweepAfterMs },
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
    await this.#queue.send(topics.events, announcements.map(toMessage));
    for (const { container, partition, eventId } of announcements) {
      await this.#store.delete({ container, partition, id: outboxId(eventId) }).catch((error: unknown) => {
        // Somebody else sent and removed it.
        if (!isAppError(error, 'NOT_FOUND')) throw error;
      });
    }
  }
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `The queue did not take the events within ${timeoutMs} ms.`);
}
