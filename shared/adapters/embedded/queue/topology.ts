import type { DatabaseSync } from 'node:sqlite';
import { prepare } from '../typed-statement.ts';
import { AppError } from '../../../core/errors.ts';
import { checkEntityName } from '../../../platform/storage/queue-rules.ts';

export interface QueueTopology {
  readonly queues?: readonly string[];
  /** Topic → its subscriptions. */
  readonly topics?: Readonly<Record<string, readonly string[]>>;
}

/** Service Bus's LockDuration and MaxDeliveryCount. */
export interface DeliverySettings {
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
}

export interface QueueRow {
  readonly queueId: number;
  readonly lockMs: number;
  readonly maxDeliveries: number;
}

export function createTopologyTable(db: DatabaseSync) {
  const insertQueue = prepare<Pick<QueueRow, 'queueId'>>(
    db,
    `INSERT INTO sb_queues (path, lock_ms, max_deliveries) VALUES (?, ?, ?)
     ON CONFLICT (path) DO UPDATE SET lock_ms = excluded.lock_ms, max_deliveries = excluded.max_deliveries
     RETURNING queue_id AS queueId`,
  );
  const insertTopic = db.prepare('INSERT OR IGNORE INTO sb_topics (name) VALUES (?)');
  const insertSubscription = db.prepare(
    'INSERT OR IGNORE INTO sb_subscriptions (topic, queue_id) VALUES (?, ?)',
  );
  const selectQueue = prepare<QueueRow>(
    db,
    `SELECT queue_id AS queueId, lock_ms AS lockMs, max_deliveries AS maxDeliveries
     FROM sb_queues WHERE path = ?`,
  );
  const selectTopic = db.prepare('SELECT 1 FROM sb_topics WHERE name = ?');
  const selectSubscriptions = prepare<Pick<QueueRow, 'queueId'>>(
    db,
    'SELECT queue_id AS queueId FROM sb_subscriptions WHERE topic = ? ORDER BY queue_id',
  );

  const findQueue = (path: string) => selectQueue.get(path);
  const isTopic = (name: string) => selectTopic.get(name) !== undefined;

  return {
    findQueue,

    /** @returns the queues that a send to `destination` reaches; undefined for an unknown destination */
    findTargets(destination: string): readonly number[] | undefined {
      if (isTopic(destination)) return selectSubscriptions.all(destination).map(({ queueId }) => queueId);
      const queue = findQueue(destination);
      return queue === undefined ? undefined : [queue.queueId];
    },

    /** Adds missing entities and updates the settings of existing ones; removes nothing. */
    declare({ queues = [], topics = {} }: QueueTopology, settings: DeliverySettings): void {
      const put = (path: string) =>
        insertQueue.get(path, settings.lockDurationMs, settings.maxDeliveryCount)!.queueId;
      for (const queue of queues) {
        checkEntityName('queue', queue);
        if (isTopic(queue)) throw nameTaken(queue, 'topic');
        put(queue);
      }
      for (const [topic, subscriptions] of Object.entries(topics)) {
        checkEntityName('topic', topic);
        if (findQueue(topic) !== undefined) throw nameTaken(topic, 'queue');
        insertTopic.run(topic);
        for (const subscription of subscriptions) {
          checkEntityName('subscription', subscription);
          insertSubscription.run(topic, put(`${topic}/Subscriptions/${subscription}`));
        }
      }
    },
  };
}

function nameTaken(name: string, kind: string): AppError {
  return new AppError('INVALID_ARGUMENT', `"${name}" is already the name of a ${kind}.`, { name });
}
