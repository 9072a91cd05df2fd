import type { Clock } from '../../../shared/core/clock.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { InboxMessage, Instance } from '../store/instance-store.ts';
import { askOrchestrator, type OrchestratorAccess } from './ask-orchestrator.ts';
import type { LiveInstance, LiveInstances } from './live-instances.ts';
import { isTerminal, type Decision, type HistoryEvent, type InboxEvent } from '../model.ts';
import type { Rest } from './ready-queue.ts';
import { verifyReplay } from '../turn/replay-check.ts';
import { takeBatch } from '../turn/turn-batch.ts';
import {
  commitTurn,
  type CommitIds,
  type Stores,
  type TurnCommit,
  type Wakes,
} from '../store/turn-commit.ts';
import { decideTurn, type TurnInput, type TurnOutcome } from '../turn/turn.ts';

export interface OrchestrationDeps extends OrchestratorAccess {
  readonly stores: Stores;
  readonly live: LiveInstances;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ids: CommitIds;
  readonly isStopped: () => boolean;
  readonly wake: (wakes: Wakes) => void;
  readonly onEnded: (instanceId: string) => void;
}

export interface OrchestrationOptions {
  /** Replays the whole history at every turn, one event at a time; a different decision fails the orchestration. */
  readonly verifyReplay: boolean;
}

const maxEventsPerTurn = 1000;
/** After a longer turn the instance rests for twice its time, so that many answers are taken in one turn. */
const longTurnMs = 1;
const maxRestMs = 250;

/** Runs orchestrations, one turn of one instance at a time. */
export class OrchestrationRunner {
  readonly #deps: OrchestrationDeps;
  readonly #verifyReplay: boolean;

  constructor(deps: OrchestrationDeps, { verifyReplay }: OrchestrationOptions) {
    this.#deps = deps;
    this.#verifyReplay = verifyReplay;
  }

  /** Runs one turn, if there are messages, and commits it. */
  async runTurn(instanceId: string): Promise<Rest | undefined> {
    const startedMs = performance.now();
    const { stores, live: instances } = this.#deps;
    const live = instances.load(instanceId);
    if (live === undefined || isTerminal(live.instance.status)) {
      stores.instances.clearInbox(instanceId);
      return undefined;
    }
    const messages = stores.instances.readInbox(instanceId, maxEventsPerTurn);
    const commit = await this.#turn(live, messages);
    if (commit === undefined) {
      instances.keep(live);
      return undefined;
    }
    if (this.#deps.isStopped()) return undefined;
    const wakes = commitTurn(stores, this.#deps.ids, commit.commit);
    if (wakes === undefined) {
      // The instance was replaced or purged meanwhile; the next run sees which.
      this.#deps.wake({
        instances: new Set([instanceId]),
        entities: new Set(),
        activities: false,
        timers: false,
      });
      return undefined;
    }
    const { after, history } = commit.commit;
    // This turn left messages in the inbox; a suspended instance keeps them until it resumes.
    const isMoreWaiting =
      commit.commit.consumedSeqs.length < messages.length || messages.length === maxEventsPerTurn;
    if (isMoreWaiting && after.status !== 'Suspended' && !isTerminal(after.status))
      wakes.instances.add(instanceId);
    if (isTerminal(after.status)) this.#deps.onEnded(instanceId);
    else if (after.executionId === live.instance.executionId) this.#keep(live, after, history ?? []);
    this.#deps.wake(wakes);
    const tookMs = performance.now() - startedMs;
    if (tookMs < longTurnMs || commit.openCount === 0) return undefined;
    return { ms: Math.min(2 * tookMs, maxRestMs), wakeAfter: commit.openCount };
  }

  async #turn(
    live: LiveInstance,
    messages: readonly InboxMessage[],
  ): Promise<{ readonly commit: TurnCommit; readonly openCount: number } | undefined> {
    const { instance } = live;
    const maxEvents = this.#verifyReplay ? 1 : maxEventsPerTurn;
    const wasSuspended = instance.status === 'Suspended';
    const batch = takeBatch(
      { executionId: instance.executionId, isSuspended: wasSuspended },
      messages,
      maxEvents,
    );
    const isFirst = instance.turns === 0;
    if (batch.consumed.length === 0 && (!isFirst || batch.isSuspended)) return undefined;
    const nowMs = Math.max(this.#deps.clock.now(), live.history.at(-1)?.atMs ?? 0);
    const before = instance;
    const consumedSeqs = batch.consumed.map(({ seq }) => seq);
    const quiet = { before, consumedSeqs, effects: [], answer: null };
    const changed = { ...instance, updatedMs: nowMs };
    if (batch.termination !== null) {
      const { reason } = batch.termination;
      const after: Instance = { ...changed, status: 'Terminated', turns: instance.turns + 1, output: reason };
      const history = [...started(nowMs, isFirst ? instance : null), ...batch.events, completed(nowMs)];
      const answer = failure(instance, nowMs, reason ?? '', '');
      return { commit: { ...quiet, after, history, answer }, openCount: 0 };
    }
    if (batch.isSuspended || (batch.events.length === 0 && !isFirst)) {
      const status = batch.isSuspended ? 'Suspended' : instance.status;
      const isRecorded = !isFirst && batch.events.length > 0;
      const history = isRecorded ? [...started(nowMs, null), ...batch.events, completed(nowMs)] : null;
      const after = { ...changed, status, turns: instance.turns + (isRecorded ? 1 : 0) } as const;
      return { commit: { ...quiet, after, history }, openCount: 0 };
    }
    const arrived = [...started(nowMs, isFirst ? instance : null), ...batch.events];
    const outcome = await this.#decide(live, arrived, nowMs);
    return this.#commitOf(instance, batch.consumed, arrived, outcome, nowMs);
  }

  async #decide(live: LiveInstance, arrived: readonly HistoryEvent[], nowMs: number): Promise<TurnOutcome> {
    const { instance } = live;
    const ask = (history: readonly HistoryEvent[], fresh: readonly HistoryEvent[]): Promise<Decision> =>
      askOrchestrator(this.#deps, instance, this.#deps.codec.encodeHistory(history, true), fresh);
    const input: Omit<TurnInput, 'decision'> = {
      ...this.#deps.settings,
      whyUnknown: (kind, name) => this.#deps.registry.whyUnknown(kind, name),
      maxActions: this.#deps.settings.maxOrchestrationActions,
      instanceId: instance.instanceId,
      executionId: instance.executionId,
      parentInstanceId: instance.parent?.instanceId ?? null,
      orchestrator: instance.name,
      history: [...live.history, ...arrived],
      nowMs,
    };
    const decision = await askOrchestrator(this.#deps, instance, live.encodedHistory, arrived);
    const outcome = decideTurn({ ...input, decision });
    if (!this.#verifyReplay) return outcome;
    const fault = await verifyReplay(input, outcome, ask);
    return fault === null ? outcome : decideTurn({ ...input, decision: { kind: 'threw', message: fault } });
  }

  #commitOf(
    before: Instance,
    consumed: readonly InboxMessage[],
    arrived: readonly HistoryEvent[],
    outcome: TurnOutcome,
    nowMs: number,
  ): { readonly commit: TurnCommit; readonly openCount: number } {
    const { end, effects } = outcome;
    const consumedSeqs = consumed.map(({ seq }) => seq);
    const history = [...arrived, ...outcome.events];
    const customStatus = outcome.customStatus ?? before.customStatus;
    const turned = { ...before, turns: before.turns + 1, customStatus, updatedMs: nowMs };
    const common = { before, consumedSeqs, history, effects };
    switch (end.kind) {
      case 'waiting':
        if (end.isStuck) this.#warnStuck(before);
        return {
          commit: { ...common, after: { ...turned, status: 'Running' }, answer: null },
          openCount: end.openCount,
        };
      case 'completed': {
        const after = { ...turned, status: 'Completed', output: end.output } as const;
        const task = { atMs: nowMs, taskId: before.parent?.taskId ?? -1 };
        const answer = { type: 'subOrchestrationCompleted', ...task, result: end.output } as const;
        return { commit: { ...common, after, answer }, openCount: 0 };
      }
      case 'failed': {
        const after = { ...turned, status: 'Failed', output: end.output } as const;
        return {
          commit: { ...common, after, answer: failure(before, nowMs, end.output, end.details) },
          openCount: 0,
        };
      }
      case 'continuedAsNew': {
        const carried = new Set<HistoryEvent>(end.carried);
        const taken = consumed.filter(({ event }) => !carried.has(event)).map(({ seq }) => seq);
        const executionId = this.#deps.ids.newExecutionId();
        const after = { ...turned, status: 'Running', executionId, turns: 0, input: end.input } as const;
        return {
          commit: { ...common, consumedSeqs: taken, history: null, after, answer: null },
          openCount: 0,
        };
      }
    }
  }

  #keep(live: LiveInstance, after: Instance, added: readonly HistoryEvent[]): void {
    const { codec } = this.#deps;
    live.instance = after;
    if (this.#verifyReplay) return;
    live.history.push(...added);
    live.encodedHistory = codec.joinHistory([live.encodedHistory, codec.encodeHistory(added, true)]);
    this.#deps.live.keep(live);
  }

  #warnStuck(instance: Instance): void {
    this.#deps.log.log(
      'warn',
      'An orchestration is stuck: its code and the extension count different tasks. Retry timeouts, event names that ' +
        'differ in case, tasks yielded twice and retries inside Task.all with a catch cause this in Azure, too.',
      { instanceId: instance.instanceId, orchestrator: instance.name },
    );
  }
}

function started(atMs: number, first: Instance | null): readonly HistoryEvent[] {
  const turn: HistoryEvent = { type: 'orchestratorStarted', atMs };
  return first === null
    ? [turn]
    : [turn, { type: 'executionStarted', atMs, name: first.name, input: first.input }];
}

function completed(atMs: number): HistoryEvent {
  return { type: 'orchestratorCompleted', atMs };
}

function failure(instance: Instance, atMs: number, reason: string, details: string): InboxEvent | null {
  if (instance.parent === null) return null;
  return { type: 'subOrchestrationFailed', atMs, taskId: instance.parent.taskId, reason, details };
}
