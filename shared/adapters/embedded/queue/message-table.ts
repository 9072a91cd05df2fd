import type { DatabaseSync } from 'node:sqlite';
import type { EncodedMessage } from '../../../platform/storage/queue-rules.ts';
import { prepare } from '../typed-statement.ts';
import type { QueueRow } from './topology.ts';

export interface MessageRow {
  readonly seq: number;
  readonly queueId: number;
  readonly id: string;
  readonly body: string;
  readonly subject: string | null;
  readonly correlationId: string | null;
  readonly properties: string;
  readonly enqueuedAt: number;
  readonly deliveryCount: number;
  readonly deadReason: string | null;
  readonly deadDescription: string | null;
}

export interface EntityCounts {
  /** `queue` or `topic/Subscriptions/name`. */
  readonly entity: string;
  /** Waiting or locked. */
  readonly active: number;
  readonly scheduled: number;
  readonly dead: number;
}

const columns = `seq, queue_id AS queueId, id, body, subject, correlation_id AS correlationId, properties,
  enqueued_at AS enqueuedAt, delivery_count AS deliveryCount, dead_reason AS deadReason,
  dead_description AS deadDescription`;

/** Moves messages to the end of the queue under new sequence numbers. `?` is the time of arrival, or null for `due_at`. */
function requeue(where: string): string {
  return `INSERT INTO sb_messages
    (queue_id, dead, state, id, body, subject, correlation_id, properties, enqueued_at, delivery_count)
    SELECT queue_id, 0, 0, id, body, subject, correlation_id, properties, coalesce(?, due_at), 0
    FROM sb_messages WHERE ${where} ORDER BY due_at, seq`;
}

/** The statements on messages. All are synchronous; callers open the transaction. */
export function createMessageTable(db: DatabaseSync) {
  const locked = 'lock_token = ? AND due_at > ?';
  const expired = 'queue_id = ? AND state <> 0 AND due_at <= ? AND state = 1';
  const arrived = 'queue_id = ? AND state <> 0 AND due_at <= ? AND state = 2';
  const deadLetter = 'queue_id = ? AND dead = 1 AND seq = ?';

  const insert = db.prepare(
    `INSERT INTO sb_messages
     (queue_id, dead, state, due_at, id, body, subject, correlation_id, properties, enqueued_at, delivery_count)
     VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
  );
  const bury = db.prepare(
    `UPDATE sb_messages SET dead = 1, state = 0, due_at = NULL, lock_token = NULL,
     dead_reason = 'MaxDeliveryCountExceeded',
     dead_description = 'Message could not be consumed after ' || delivery_count || ' delivery attempts.'
     WHERE ${expired} AND dead = 0 AND delivery_count >= ?`,
  );
  const unlock = db.prepare(
    `UPDATE sb_messages SET state = 0, due_at = NULL, lock_token = NULL WHERE ${expired}`,
  );
  const insertArrived = db.prepare(requeue(arrived));
  const deleteArrived = db.prepare(`DELETE FROM sb_messages WHERE ${arrived}`);
  const selectReady = prepare<MessageRow>(
    db,
    `SELECT ${columns} FROM sb_messages WHERE queue_id = ? AND dead = ? AND state = 0 ORDER BY seq LIMIT ?`,
  );
  const lock = db.prepare(
    `UPDATE sb_messages SET state = 1, lock_token = ?, due_at = ?, delivery_count = delivery_count + 1
     WHERE seq = ?`,
  );
  const selectNextDue = prepare<{ readonly dueAt: number | null }>(
    db,
    'SELECT min(due_at) AS dueAt FROM sb_messages WHERE queue_id = ? AND state <> 0',
  );
  const complete = db.prepare(`DELETE FROM sb_messages WHERE ${locked}`);
  const endLock = prepare<QueueRow>(
    db,
    `UPDATE sb_messages SET due_at = ? WHERE ${locked} RETURNING queue_id AS queueId,
     (SELECT max_deliveries FROM sb_queues WHERE sb_queues.queue_id = sb_messages.queue_id) AS maxDeliveries,
     (SELECT lock_ms FROM sb_queues WHERE sb_queues.queue_id = sb_messages.queue_id) AS lockMs`,
  );
  const extendLock = prepare<{ readonly dueAt: number }>(
    db,
    `UPDATE sb_messages SET due_at =
     ? + (SELECT lock_ms FROM sb_queues WHERE sb_queues.queue_id = sb_messages.queue_id)
     WHERE ${locked} RETURNING due_at AS dueAt`,
  );
  const kill = prepare<Pick<QueueRow, 'queueId'>>(
    db,
    `UPDATE sb_messages SET dead = 1, state = 0, due_at = NULL, lock_token = NULL, dead_reason = ?,
     dead_description = ? WHERE ${locked} RETURNING queue_id AS queueId`,
  );
  const releaseAll = prepare<Pick<QueueRow, 'queueId'>>(
    db,
    'UPDATE sb_messages SET due_at = ? WHERE state = 1 RETURNING queue_id AS queueId',
  );
  const selectCounts = prepare<EntityCounts>(
    db,
    `SELECT path AS entity, count(*) FILTER (WHERE dead = 0 AND state <> 2) AS active,
     count(*) FILTER (WHERE state = 2) AS scheduled, count(*) FILTER (WHERE dead = 1) AS dead
     FROM sb_queues LEFT JOIN sb_messages USING (queue_id) GROUP BY path ORDER BY path`,
  );
  const selectDead = prepare<MessageRow>(
    db,
    `SELECT ${columns} FROM sb_messages WHERE queue_id = ? AND dead = 1 ORDER BY seq LIMIT ?`,
  );
  const selectDeadLock = prepare<{ readonly state: number }>(
    db,
    `SELECT state FROM sb_messages WHERE ${deadLetter}`,
  );
  const insertRevived = db.prepare(requeue(deadLetter));
  const deleteRevived = db.prepare(`DELETE FROM sb_messages WHERE ${deadLetter}`);

  return {
    insert(queueId: number, message: EncodedMessage, now: number): void {
      const { scheduledFor = 0 } = message;
      const isScheduled = scheduledFor > now;
      insert.run(
        queueId,
        isScheduled ? 2 : 0,
        isScheduled ? scheduledFor : null,
        message.id,
        message.body,
        message.subject ?? null,
        message.correlationId ?? null,
        JSON.stringify(message.properties),
        isScheduled ? scheduledFor : now,
      );
    },

    /** Applies the passage of time: ends locks, dead-letters exhausted messages and delivers scheduled ones. */
    sweep({ queueId, maxDeliveries }: QueueRow, now: number): void {
      bury.run(queueId, now, maxDeliveries);
      unlock.run(queueId, now);
      if (insertArrived.run(null, queueId, now).changes !== 0) deleteArrived.run(queueId, now);
    },

    selectReady: (queueId: number, dead: boolean, limit: number) =>
      selectReady.all(queueId, dead ? 1 : 0, limit),

    lock: (seq: number, token: string, lockedUntil: number) => void lock.run(token, lockedUntil, seq),

    /** @returns when the next lock ends or the next scheduled message arrives; null for neither */
    nextDue: (queueId: number) => selectNextDue.get(queueId)?.dueAt ?? null,

    complete: (token: string, now: number) => complete.run(token, now).changes !== 0,

    /** @returns the message's queue, which needs a sweep; undefined when the lock is lost */
    endLock: (token: string, now: number) => endLock.get(now, token, now),

    extendLock: (token: string, now: number) => extendLock.get(now, token, now)?.dueAt,

    kill: (token: string, now: number, reason: string, description: string) =>
      kill.get(reason, description, token, now)?.queueId,

    releaseAll: (now: number) => new Set(releaseAll.all(now).map(({ queueId }) => queueId)),

    counts: () => selectCounts.all(),

    selectDead: (queueId: number, limit: number) => selectDead.all(queueId, limit),

    /** @returns `missing` for an unknown dead letter, `locked` when a receiver holds it */
    revive(queueId: number, seq: number, now: number): 'revived' | 'missing' | 'locked' {
      const found = selectDeadLock.get(queueId, seq);
      if (found === undefined) return 'missing';
      if (found.state !== 0) return 'locked';
      insertRevived.run(now, queueId, seq);
      deleteRevived.run(queueId, seq);
      return 'revived';
    },
  };
}
