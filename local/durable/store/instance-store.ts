import type { Database } from './database.ts';
import type { HistoryEvent, InboxEvent, RuntimeStatus } from '../model.ts';

export interface Instance {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly status: RuntimeStatus;
  /** Turns of this execution so far; 0 before its start. */
  readonly turns: number;
  readonly input: string | null;
  /** JSON for a result; plain text for a failure or a reason. */
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly parent: ParentTask | null;
}

/** The task of the parent orchestration that waits for this one. */
interface ParentTask {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

export interface InboxMessage {
  readonly seq: number;
  /** The execution it answers; null for any. */
  readonly executionId: string | null;
  readonly event: InboxEvent;
}

export type InstanceRow = Omit<Instance, 'parent'> & {
  readonly parentInstanceId: string | null;
  readonly parentExecutionId: string | null;
  readonly parentTaskId: number | null;
};

export const instanceColumns =
  'instance_id AS instanceId, execution_id AS executionId, name, status, turns, input, output, ' +
  'custom_status AS customStatus, created_ms AS createdMs, updated_ms AS updatedMs, ' +
  'parent_instance_id AS parentInstanceId, parent_execution_id AS parentExecutionId, parent_task_id AS parentTaskId';

export function instanceOf(row: InstanceRow): Instance {
  const { parentInstanceId, parentExecutionId, parentTaskId, ...instance } = row;
  const isChild = parentInstanceId !== null && parentExecutionId !== null && parentTaskId !== null;
  return {
    ...instance,
    parent: isChild
      ? { instanceId: parentInstanceId, executionId: parentExecutionId, taskId: parentTaskId }
      : null,
  };
}

/** Reads and writes single rows; the caller opens a transaction around several. */
export class InstanceStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(instanceId: string): Instance | undefined {
    const row = this.#db.get<InstanceRow>(
      `SELECT ${instanceColumns} FROM df_instances WHERE instance_id = ?`,
      instanceId,
    );
    return row === undefined ? undefined : instanceOf(row);
  }

  /** Writes a new instance and deletes the one that had its id. */
  replace(instance: Instance): void {
    this.delete(instance.instanceId);
    this.#db.run(
      'INSERT INTO df_instances (instance_id, execution_id, name, status, turns, input, output, custom_status, ' +
        'created_ms, updated_ms, parent_instance_id, parent_execution_id, parent_task_id) ' +
        'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      instance.instanceId,
      instance.executionId,
      instance.name,
      instance.status,
      instance.turns,
      instance.input,
      instance.output,
      instance.customStatus,
      instance.createdMs,
      instance.updatedMs,
      instance.parent?.instanceId ?? null,
      instance.parent?.executionId ?? null,
      instance.parent?.taskId ?? null,
    );
  }

  /** Updates the columns that a turn changes. */
  update(instance: Instance): void {
    this.#db.run(
      'UPDATE df_instances SET execution_id = ?, status = ?, turns = ?, input = ?, output = ?, custom_status = ?, ' +
        'updated_ms = ? WHERE instance_id = ?',
      instance.executionId,
      instance.status,
      instance.turns,
      instance.input,
      instance.output,
      instance.customStatus,
      instance.updatedMs,
      instance.instanceId,
    );
  }

  /** Deletes the instance with its history and messages. @returns false when there was none */
  delete(instanceId: string): boolean {
    this.clearWork(instanceId);
    this.#db.run('DELETE FROM df_inbox WHERE instance_id = ?', instanceId);
    this.#db.run('DELETE FROM df_history WHERE instance_id = ?', instanceId);
    return this.#db.run('DELETE FROM df_instances WHERE instance_id = ?', instanceId) > 0;
  }

  /** Deletes the pending activities and timers of an execution that ended. */
  clearWork(instanceId: string): void {
    this.#db.run('DELETE FROM df_activities WHERE instance_id = ?', instanceId);
    this.#db.run('DELETE FROM df_timers WHERE instance_id = ?', instanceId);
  }

  clearHistory(instanceId: string): void {
    this.#db.run('DELETE FROM df_history WHERE instance_id = ?', instanceId);
  }

  appendHistory(instanceId: string, turn: number, events: readonly HistoryEvent[]): void {
    this.#db.run(
      'INSERT INTO df_history (instance_id, turn, events) VALUES (?, ?, ?)',
      instanceId,
      turn,
      JSON.stringify(events),
    );
  }

  /** @returns one list of events per turn, oldest first */
  readHistory(instanceId: string): readonly (readonly HistoryEvent[])[] {
    const rows = this.#db.all<{ events: string }>(
      'SELECT events FROM df_history WHERE instance_id = ? ORDER BY turn',
      instanceId,
    );
    return rows.map(({ events }) => JSON.parse(events) as readonly HistoryEvent[]);
  }

  /** Sends a message to an instance; with an execution id, to that execution only. */
  post(instanceId: string, executionId: string | null, event: InboxEvent): void {
    this.#db.run(
      'INSERT INTO df_inbox (instance_id, execution_id, event) VALUES (?, ?, ?)',
      instanceId,
      executionId,
      JSON.stringify(event),
    );
  }

  readInbox(instanceId: string, limit: number): readonly InboxMessage[] {
    const rows = this.#db.all<{ seq: number; executionId: string | null; event: string }>(
      'SELECT seq, execution_id AS executionId, event FROM df_inbox WHERE instance_id = ? ORDER BY seq LIMIT ?',
      instanceId,
      limit,
    );
    return rows.map(({ event, ...row }) => ({ ...row, event: JSON.parse(event) as InboxEvent }));
  }

  removeMessages(seqs: readonly number[]): void {
    for (const seq of seqs) this.#db.run('DELETE FROM df_inbox WHERE seq = ?', seq);
  }

  clearInbox(instanceId: string): void {
    this.#db.run('DELETE FROM df_inbox WHERE instance_id = ?', instanceId);
  }

  /** Lists instances that have yet to start or have messages. */
  listReady(): readonly string[] {
    const rows = this.#db.all<{ instanceId: string }>(
      "SELECT instance_id AS instanceId FROM df_instances WHERE turns = 0 AND status IN ('Pending', 'Running') " +
        'UNION SELECT DISTINCT instance_id FROM df_inbox',
    );
    return rows.map(({ instanceId }) => instanceId);
  }
}
