import type { Database } from './database.ts';
import type { Instance, InstanceStore } from './instance-store.ts';
import { isTerminal, type Effect, type HistoryEvent, type InboxEvent } from '../model.ts';
import type { WorkStore } from './work-store.ts';

export interface Stores {
  readonly db: Database;
  readonly instances: InstanceStore;
  readonly work: WorkStore;
}

export interface TurnCommit {
  readonly before: Instance;
  readonly after: Instance;
  readonly consumedSeqs: readonly number[];
  /** The events of this turn; null writes none, as an execution that has not started has no history. */
  readonly history: readonly HistoryEvent[] | null;
  readonly effects: readonly Effect[];
  /** The message to the parent orchestration. */
  readonly answer: InboxEvent | null;
}

/** What has new work after a commit. */
export interface Wakes {
  readonly instances: Set<string>;
  readonly entities: Set<string>;
  activities: boolean;
  timers: boolean;
}

export interface CommitIds {
  newExecutionId(): string;
}

/**
 * Writes one turn (inbox, history, effects and the instance's row) in one transaction.
 *
 * @returns undefined, with nothing written, when the instance was purged or replaced while its orchestrator ran
 */
export function commitTurn(stores: Stores, ids: CommitIds, commit: TurnCommit): Wakes | undefined {
  const { before, after } = commit;
  const { instances } = stores;
  return stores.db.transaction(() => {
    if (instances.find(before.instanceId)?.executionId !== before.executionId) return undefined;
    const wakes: Wakes = { instances: new Set(), entities: new Set(), activities: false, timers: false };
    instances.removeMessages(commit.consumedSeqs);
    if (after.executionId !== before.executionId) {
      instances.clearWork(before.instanceId);
      instances.clearHistory(before.instanceId);
      wakes.instances.add(before.instanceId);
    }
    if (commit.history !== null) instances.appendHistory(before.instanceId, before.turns, commit.history);
    for (const effect of commit.effects) applyEffect(stores, ids, commit, effect, wakes);
    instances.update(after);
    if (isTerminal(after.status)) {
      instances.clearWork(after.instanceId);
      instances.clearInbox(after.instanceId);
    }
    if (commit.answer !== null && after.parent !== null) {
      const { instanceId, executionId } = after.parent;
      // The parent has ended or started a new execution.
      const parent = instances.find(instanceId);
      if (parent?.executionId === executionId && !isTerminal(parent.status)) {
        instances.post(instanceId, executionId, commit.answer);
        wakes.instances.add(instanceId);
      }
    }
    return wakes;
  });
}

function applyEffect(stores: Stores, ids: CommitIds, commit: TurnCommit, effect: Effect, wakes: Wakes): void {
  const { instanceId, executionId } = commit.before;
  switch (effect.type) {
    case 'scheduleActivity':
      stores.work.addActivity({
        instanceId,
        executionId,
        taskId: effect.id,
        name: effect.name,
        input: effect.input,
      });
      wakes.activities = true;
      return;
    case 'createTimer':
      stores.work.addTimer({ instanceId, timerId: effect.id, fireAtMs: effect.fireAtMs });
      wakes.timers = true;
      return;
    case 'cancelTimer':
      stores.work.removeTimer(instanceId, effect.id);
      return;
    case 'sendToEntity':
      stores.work.postToEntity(effect.entityId, effect.request);
      wakes.entities.add(effect.entityId);
      return;
    case 'startSubOrchestration':
      startSubOrchestration(stores, ids, commit, effect, wakes);
      return;
  }
}

function startSubOrchestration(
  { instances }: Stores,
  ids: CommitIds,
  { before, after }: TurnCommit,
  effect: Extract<Effect, { type: 'startSubOrchestration' }>,
  wakes: Wakes,
): void {
  const { instanceId, executionId } = before;
  const existing = instances.find(effect.instanceId);
  if (existing !== undefined && !isTerminal(existing.status)) {
    // The framework drops such a start with a warning and the parent waits forever; here the start fails.
    const reason = `An Orchestration instance with the status ${existing.status} already exists.`;
    const failed = { type: 'subOrchestrationFailed', atMs: after.updatedMs, taskId: effect.id } as const;
    instances.post(instanceId, executionId, { ...failed, reason, details: reason });
    wakes.instances.add(instanceId);
    return;
  }
  instances.replace({
    instanceId: effect.instanceId,
    executionId: ids.newExecutionId(),
    name: effect.name,
    status: 'Pending',
    turns: 0,
    input: effect.input,
    output: null,
    customStatus: null,
    createdMs: after.updatedMs,
    updatedMs: after.updatedMs,
    parent: { instanceId, executionId, taskId: effect.id },
  });
  wakes.instances.add(effect.instanceId);
}
