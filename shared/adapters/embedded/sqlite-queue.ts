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

export interface SqliteQueueOptions {
  /** Other tables may live in the file, and other processes may have it open; ours start with `sb_`. */
  readonly file: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Declared at once, with the two settings below. */
  readonly topology?: QueueTopology;
  /** Default one minute, as in Service Bus. */
  readonly lockDurationMs?: number;
  /** Default 10, as in Service Bus. */
  readonly maxDeliveryCount?: number;
  /** How soon a waiting receiver notices what another *process* sent. Default 100 ms. */
  readonly pollMs?: number;
  /** How long a call waits, blocking the thread, for another process's transaction. Default 5 s. */
  readonly busyTimeoutMs?: number;
  /** Sends that would make the file larger are INSUFFICIENT_STORAGE; draining it always works. Default none. */
  readonly maxSizeBytes?: number;
}

/**
 * The embedded queue of the local host: Service Bus's peek-lock semantics in one SQLite file.
 *
 * Each send, receive and settlement is one transaction, so what was acknowledged survives SIGKILL. Nothing expires;
 * dead letters stay until they are completed or sent again.
 */
export interface SqliteQueue extends MessageQueue {
  receive(source: QueueSource, options: ReceiveOptions): Promise<readonly SequencedMessage[]>;
  /** Creates what is missing; persisted; never removes anything. @throws INVALID_ARGUMENT */
  declare(topology: QueueTopology, settings?: Partial<DeliverySettings>): Promise<void>;
  /** Of every queue and subscription, by path. */
  counts(): Promise<readonly EntityCounts[]>;
  /** The oldest dead letters of an entity. @throws NOT_FOUND */
  peekDeadLetters(source: QueueSource, limit: number): Promise<readonly DeadLetter[]>;
  /** A dead letter joins the end of its queue as a new arrival. @throws NOT_FOUND, PRECONDITION_FAILED if locked */
  resubmitDeadLetter(source: QueueSource, sequenceNumber: number): Promise<void>;
  /**
   * Ends every lock now, as though its holder had abandoned the message. Only for a host that knows at start that
   * it is alone: the holders died with the process before it.
   */
  releaseLocks(): Promise<void>;
}

/**
 * Opens (and if need be creates) the queue file.
 *
 * @throws UNAVAILABLE if the file cannot be opened, INSUFFICIENT_STORAGE
 * @example
 * const queue = openSqliteQueue({ file, clock: systemClock, ids: systemIds, topology: { queues: ['landing'] } });
 * await queue.send('landing', [{ id: '1', body: { path: 'landing/flights/january.parquet' } }]);
 * const [message] = await queue.receive({ queue: 'landing' }, { maxMessages: 1, waitMs: 0 });
 * message.body // { path: 'landing/flights/january.parquet' }
 * await queue.complete(message);
 * await queue.receive({ queue: 'landing' }, { maxMessages: 1, waitMs: 0 }) // []
 */
export function openSqliteQueue(options: SqliteQueueOptions): SqliteQueue {
  const { file, busyTimeoutMs = 5000 } = options;
  const db = openQueueDatabase({ file, busyTimeoutMs });
  try {
    return translateErrors(() => new EmbeddedQueue(db, realpathSync(file), options));
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

  constructor(db: DatabaseSync, file: string, options: SqliteQueueOptions) {
    this.#db = db;
    this.#file = file;
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#settings = {
      lockDurationMs: options.lockDurationMs ?? 60_000,
      maxDeliveryCount: options.maxDeliveryCount ?? 10,
    };
    this.#maxSizeBytes = options.maxSizeBytes;
    this.#topology = createTopologyTable(db);
    this.#messages = createMessageTable(db);
    this.#changes = new ChangeWatch(db, file, options);
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
      // Read before looking: whatever another process commits after the look changes it.
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
      if (outcome === 'missing') throw new AppError('NOT_FOUND', 'There is no such dead letter.', details);
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

  /** Looks before it writes: waiting receivers of an idle queue never take the write lock. */
  #claim(queue: QueueRow, source: QueueSource, limit: number): readonly SequencedMessage[] {
    const dead = source.deadLetter === true;
    const now = this.#clock.now();
    const isWorthIt = this.#run(() => {
      const dueAt = this.#messages.nextDue(queue.queueId);
      return (
        (dueAt !== null && dueAt <= now) || this.#messages.selectReady(queue.queueId, dead, 1).length > 0
      );
    });
    if (!isWorthIt) return [];
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

  /** One statement is a transaction of its own. */
  #run<T>(run: () => T): T {
    if (this.#closing.signal.aborted) throw new AppError('UNAVAILABLE', 'The local queue is closed.');
    return translateErrors(run);
  }

  #write<T>(run: () => T): T {
    return this.#run(() => transact(this.#db, run));
  }
}
