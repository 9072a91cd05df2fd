import type { Database } from './database.ts';
import type { EntityRequest } from '../model.ts';

export type ActivityWork = {
  readonly seq: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  readonly input: string;
};

export type DueTimer = {
  readonly instanceId: string;
  readonly timerId: number;
  readonly fireAtMs: number;
};

export interface EntityRow {
  readonly entityId: string;
  readonly exists: boolean;
  readonly state: string | null;
  readonly updatedMs: number;
}

/** Pending work outside of orchestrations: activities, timers and entities. */
export class WorkStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  addActivity(work: Omit<ActivityWork, 'seq'>): void {
    this.#db.run(
      'INSERT INTO df_activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)',
      work.instanceId,
      work.executionId,
      work.taskId,
      work.name,
      work.input,
    );
  }

  /** Lists activities after `seq`, oldest first. */
  listActivitiesAfter(seq: number, limit: number): readonly ActivityWork[] {
    return this.#db.all<ActivityWork>(
      'SELECT seq, instance_id AS instanceId, execution_id AS executionId, task_id AS taskId, name, input ' +
        'FROM df_activities WHERE seq > ? ORDER BY seq LIMIT ?',
      seq,
      limit,
    );
  }

  /** @returns false when the work is gone, as its orchestration was terminated, replaced or purged meanwhile */
  removeActivity(seq: number): boolean {
    return this.#db.run('DELETE FROM df_activities WHERE seq = ?', seq) > 0;
  }

  addTimer(timer: DueTimer): void {
    this.#db.run(
      'INSERT INTO df_timers (instance_id, timer_id, fire_at_ms) VALUES (?, ?, ?)',
      timer.instanceId,
      timer.timerId,
      timer.fireAtMs,
    );
  }

  removeTimer(instanceId: string, timerId: number): void {
    this.#db.run('DELETE FROM df_timers WHERE instance_id = ? AND timer_id = ?', instanceId, timerId);
  }

  nextTimerMs(): number | undefined {
    return (
      this.#db.get<{ fireAtMs: number | null }>('SELECT MIN(fire_at_ms) AS fireAtMs FROM df_timers')
        ?.fireAtMs ?? undefined
    );
  }

  listDueTimers(nowMs: number, limit: number): readonly DueTimer[] {
    return this.#db.all<DueTimer>(
      'SELECT instance_id AS instanceId, timer_id AS timerId, fire_at_ms AS fireAtMs FROM df_timers ' +
        'WHERE fire_at_ms <= ? ORDER BY fire_at_ms LIMIT ?',
      nowMs,
      limit,
    );
  }

  postToEntity(entityId: string, request: EntityRequest): void {
    this.#db.run(
      'INSERT INTO df_entity_inbox (entity_id, request) VALUES (?, ?)',
      entityId,
      JSON.stringify(request),
    );
  }

  readEntityInbox(
    entityId: string,
    limit: number,
  ): readonly { readonly seq: number; readonly request: EntityRequest }[] {
    const rows = this.#db.all<{ seq: number; request: string }>(
      'SELECT seq, request FROM df_entity_inbox WHERE entity_id = ? ORDER BY seq LIMIT ?',
      entityId,
      limit,
    );
    return rows.map(({ seq, request }) => ({ seq, request: JSON.parse(request) as EntityRequest }));
  }

  removeEntityMessages(entityId: string, upToSeq: number): void {
    this.#db.run('DELETE FROM df_entity_inbox WHERE entity_id = ? AND seq <= ?', entityId, upToSeq);
  }

  listReadyEntities(): readonly string[] {
    const rows = this.#db.all<{ entityId: string }>(
      'SELECT DISTINCT entity_id AS entityId FROM df_entity_inbox',
    );
    return rows.map(({ entityId }) => entityId);
  }

  findEntity(entityId: string): EntityRow | undefined {
    return this.listEntities({ from: entityId, to: entityId, updatedFromMs: 0, limit: 1 })[0];
  }

  /** Lists entities with ids from `from` to `to`, both included, by id. */
  listEntities(range: {
    readonly from: string;
    readonly to: string;
    readonly updatedFromMs: number;
    readonly updatedToMs?: number;
    readonly limit: number;
  }): readonly EntityRow[] {
    const rows = this.#db.all<Omit<EntityRow, 'exists'> & { existsNow: number }>(
      'SELECT entity_id AS entityId, exists_now AS existsNow, state, updated_ms AS updatedMs FROM df_entities ' +
        'WHERE entity_id >= ? AND entity_id <= ? AND updated_ms >= ? AND updated_ms <= ? ORDER BY entity_id LIMIT ?',
      range.from,
      range.to,
      range.updatedFromMs,
      range.updatedToMs ?? Number.MAX_SAFE_INTEGER,
      range.limit,
    );
    return rows.map(({ existsNow, ...row }) => ({ ...row, exists: existsNow === 1 }));
  }

  saveEntity(entity: EntityRow): void {
    this.#db.run(
      'INSERT INTO df_entities (entity_id, exists_now, state, updated_ms) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (entity_id) DO UPDATE SET exists_now = excluded.exists_now, state = excluded.state, ' +
        'updated_ms = excluded.updated_ms',
      entity.entityId,
      entity.exists ? 1 : 0,
      entity.state,
      entity.updatedMs,
    );
  }

  deleteEntity(entityId: string): boolean {
    this.#db.run('DELETE FROM df_entity_inbox WHERE entity_id = ?', entityId);
    return this.#db.run('DELETE FROM df_entities WHERE entity_id = ?', entityId) > 0;
  }
}
