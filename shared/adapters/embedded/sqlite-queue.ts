import { realpathSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type {
  MessageQueue,
  OutgoingMessage,
  QueueSource,
  ReceivedMessage,
  ReceiveOptions,
} from '../../platform/storage/queue.ts';
import {
  checkDeadLetter,
  checkReceive,
  encodeMessages,
  entityPath,
  lockLost,
  noSuchEntity,
} from '../../platform/storage/queue-rules.ts';
import { openQueueDatabase, transact, translateErrors, withMaxSize } from './queue/database.ts';
import { ChangeWatch, wake } from './queue/changes.ts';
import { createMessageTable, type EntityCounts } from './queue/message-table.ts';
import { type DeadLetter, describeMessage, type SequencedMessage } from './queue/messages.ts';
import {
  createTopologyTable,
  type DeliverySettings,
  type QueueRow,
  type QueueTopology,
} from './queue/topology.ts';

export interface SqliteQueueDeps {
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface SqliteQueueOptions {
  /** Can hold other tables (those of the queue start with `sb_`) and be open in other processes. */
  readonly file: string;
  /** Declared when the file is opened, with the two settings below. */
  readonly topology?: QueueTopology;
  /** Default one minute, as in Service Bus. */
  readonly lockDurationMs?: number;
  /** Default 10, as in Service Bus. */
  readonly maxDeliveryCount?: number;
  /** The longest delay until a waiting receiver notices messages of another *process*. Default 100 ms. */
  readonly pollMs?: number;
  /** How long a call blocks the thread while another process writes. Default 5 s. */
  readonly busyTimeoutMs?: number;
  /** Larger files make sends fail with INSUFFICIENT_STORAGE; receiving still works. Default none. */
  readonly maxSizeBytes?: number;
}

/**
 * The embedded queue of the local host: Service Bus's peek-lock semantics in one SQLite file.
 *
 * Each send, receive and settlement is one transaction, so acknowledged messages survive SIGKILL. Nothing expires; dead
 * letters remain until they are completed or resubmitted.
 */
export interface SqliteQueue extends MessageQueue {
  receive(source: QueueSource, options: ReceiveOptions): Promise<readonly SequencedMessage[]>;
  /** Creates missing entities, persistently; removes nothing. @throws INVALID_ARGUMENT */
  declare(topology: QueueTopology, settings?: Partial<DeliverySettings>): Promise<void>;
  /** The counts of every queue and subscription, by path. */
  counts(): Promise<readonly EntityCounts[]>;
  /** The oldest dead letters of an entity. @throws NOT_FOUND */
  peekDeadLetters(source: QueueSource, limit: number): Promise<readonly DeadLetter[]>;
  /** Moves a dead letter to the end of its queue. @throws NOT_FOUND; PRECONDITION_FAILED when it is locked */
  resubmitDeadLetter(source: QueueSource, sequenceNumber: number): Promise<void>;
  /**
   * Ends every lock, as if its holder had abandoned the message. Only for a host at its start that owns the file: the
   * holders died with the previous process.
   */
  releaseLocks(): Promise<void>;
}

/**
 * Opens the queue file, creating it if missing.
 *
 * @throws UNAVAILABLE if the file cannot be opened, INSUFFICIENT_STORAGE
 * @example
 * const queue = openSqliteQueue({ clock: systemClock, ids: systemIds }, { file, topology: { queues: ['landing'] } });
 * await queue.send('landing', [{ id: '1', body: { path: 'landing/flights/january.parquet' } }]);
 * const [message] = await queue.receive({ queue: 'landing' }, { maxMessages: 1, waitMs: 0 });
 * message.body // { path: 'landing/flights/january.parquet' }
 * await queue.complete(message);
 * await queue.receive({ queue: 'landing' }, { maxMessages: 1, waitMs: 0 }) // []
 */
export function openSqliteQueue(deps: SqliteQueueDeps, options: SqliteQueueOptions): SqliteQueue {
  const { file, busyTimeoutMs = 5000 } = options;
  const db = openQueueDatabase({ file, busyTimeoutMs });
  try {
    return translateErrors(() => new EmbeddedQueue(db, realpathSync(file), deps, options));
  } catch (error) {
    db.close();
    throw error;
  }
}

class EmbeddedQueue implements SqliteQueue {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #settings: DeliverySettings;
  readonly #maxSizeBytes: number | undefined;
  readonly #topology: ReturnType<typeof createTopologyTable>;
  readonly #messages: ReturnType<typeof createMessageTable>;
  readonly #changes: ChangeWatch;
  readonly #closing = new AbortController();

  constructor(db: DatabaseSync, file: string, { clock, ids }: SqliteQueueDeps, options: SqliteQueueOptions) {
    this.#db = db;
    this.#file = file;
    this.#clock = clock;
    this.#ids = ids;
    this.#settings = {
      lockDurationMs: options.lockDurationMs ?? 60_000,
      maxDeliveryCount: options.maxDeliveryCount ?? 10,
    };
    this.#maxSizeBytes = options.maxSizeBytes;
    this.#topology = createTopologyTable(db);
    this.#messages = createMessageTable(db);
    this.#changes = new ChangeWatch(db, file, clock, { pollMs: options.pollMs ?? 100 });
    const { topology } = options;
    if (topology !== undefined) transact(db, () => this.#topology.declare(topology, this.#settings));
  }

  async send(destination: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const encoded = encodeMessages(destination, messages);
    const now = this.#clock.now();
    const store = () => {
      const queueIds = this.#topology.findTargets(destination);
      if (queueIds === undefined) throw noSuchEntity(destination);
      for (const message of encoded)
        for (const queueId of queueIds) this.#messages.insert(queueId, message, now);
      return queueIds;
    };
    const targets = this.#run(() =>
      withMaxSize(this.#db, this.#maxSizeBytes, () => transact(this.#db, store)),
    );
    wake(this.#file, targets);
  }

  async receive(source: QueueSource, options: ReceiveOptions): Promise<readonly SequencedMessage[]> {
    checkReceive(source, options);
    const queue = this.#run(() => this.#findQueue(source));
    const deadline = this.#clock.now() + options.waitMs;
    for (;;) {
      // Read first, so that a commit of another process after the look changes it.
      const version = this.#run(() => this.#changes.version());
      const messages = this.#claim(queue, source, options.maxMessages);
      if (messages.length > 0 || this.#clock.now() >= deadline) return messages;
      const dueAt = this.#run(() => this.#messages.nextDue(queue.queueId)) ?? Infinity;
      const until = Math.min(deadline, dueAt);
      await this.#changes.wait({ queueId: queue.queueId, version, until }, this.#closing.signal);
      if (this.#closing.signal.aborted) return [];
    }
  }

  async complete(message: ReceivedMessage): Promise<void> {
    const now = this.#clock.now();
    if (!this.#run(() => this.#messages.complete(message.lockToken, now))) throw lockLost(message);
  }

  async abandon(message: ReceivedMessage): Promise<void> {
    const now = this.#clock.now();
    const queue = this.#write(() => {
      const found = this.#messages.endLock(message.lockToken, now);
      if (found !== undefined) this.#messages.sweep(found, now);
      return found;
    });
    if (queue === undefined) throw lockLost(message);
    wake(this.#file, [queue.queueId]);
  }

  async deadLetter(message: ReceivedMessage, reason: string, description: string): Promise<void> {
    checkDeadLetter(message, reason, description);
    const now = this.#clock.now();
    const queueId = this.#run(() => this.#messages.kill(message.lockToken, now, reason, description));
    if (queueId === undefined) throw lockLost(message);
    wake(this.#file, [queueId]);
  }

  async renewLock(message: ReceivedMessage): Promise<number> {
    const now = this.#clock.now();
    const lockedUntil = this.#run(() => this.#messages.extendLock(message.lockToken, now));
    if (lockedUntil === undefined) throw lockLost(message);
    return lockedUntil;
  }

  async ping(): Promise<void> {
    this.#run(() => this.#topology.findQueue('ping'));
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#db.close();
  }

  async declare(topology: QueueTopology, settings: Partial<DeliverySettings> = {}): Promise<void> {
    this.#write(() => this.#topology.declare(topology, { ...this.#settings, ...settings }));
  }

  async counts(): Promise<readonly EntityCounts[]> {
    return this.#run(() => this.#messages.counts());
  }

  async peekDeadLetters(source: QueueSource, limit: number): Promise<readonly DeadLetter[]> {
    const dead = { ...source, deadLetter: true };
    return this.#run(() => this.#messages.selectDead(this.#findQueue(source).queueId, limit)).map((row) =>
      describeMessage(row, dead),
    );
  }

  async resubmitDeadLetter(source: QueueSource, sequenceNumber: number): Promise<void> {
    const details = { entity: entityPath(source), sequenceNumber };
    const queueId = this.#write(() => {
      const found = this.#findQueue(source).queueId;
      const outcome = this.#messages.revive(found, sequenceNumber, this.#clock.now());
      if (outcome === 'missing') throw new AppError('NOT_FOUND', 'The dead letter does not exist.', details);
      if (outcome === 'locked')
        throw new AppError('PRECONDITION_FAILED', 'A receiver holds this dead letter.', details);
      return found;
    });
    wake(this.#file, [queueId]);
  }

  async releaseLocks(): Promise<void> {
    wake(
      this.#file,
      this.#write(() => this.#messages.releaseAll(this.#clock.now())),
    );
  }

  /** Reads first, so that receivers of an idle queue do not take the write lock. */
  #claim(queue: QueueRow, source: QueueSource, limit: number): readonly SequencedMessage[] {
    const dead = source.deadLetter === true;
    const now = this.#clock.now();
    const isClaimable = this.#run(() => {
      const dueAt = this.#messages.nextDue(queue.queueId);
      return (
        (dueAt !== null && dueAt <= now) || this.#messages.selectReady(queue.queueId, dead, 1).length > 0
      );
    });
    if (!isClaimable) return [];
    const lockedUntil = now + queue.lockMs;
    return this.#write(() => {
      this.#messages.sweep(queue, now);
      return this.#messages.selectReady(queue.queueId, dead, limit).map((row) => {
        const lockToken = this.#ids.uuid();
        this.#messages.lock(row.seq, lockToken, lockedUntil);
        const deliveryCount = row.deliveryCount + 1;
        return { ...describeMessage({ ...row, deliveryCount }, source), lockedUntil, lockToken };
      });
    });
  }

  #findQueue(source: QueueSource): QueueRow {
    const path = entityPath(source);
    const queue = this.#topology.findQueue(path);
    if (queue === undefined) throw noSuchEntity(path);
    return queue;
  }

  /** For a single statement, which is a transaction. */
  #run<T>(run: () => T): T {
    if (this.#closing.signal.aborted) throw new AppError('UNAVAILABLE', 'The local queue is closed.');
    return translateErrors(run);
  }

  #write<T>(run: () => T): T {
    return this.#run(() => transact(this.#db, run));
  }
}
