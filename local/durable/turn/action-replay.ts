import { createHash } from 'node:crypto';
import type { Action, Effect, EntityRequest, HistoryEvent, RetryPolicy } from '../model.ts';
import { ExternalEvents } from './external-events.ts';
import { checkConfirmation } from './nondeterminism.ts';
import { ReplayTask, whenAll, whenAny } from './replay-task.ts';
import { nextRetryDelayMs } from './retry.ts';

export interface ReplayContext {
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | null;
  readonly maxShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly maxActions: number;
  /** @returns why a function cannot be called; null when it can */
  whyUnknown(kind: 'orchestration' | 'activity' | 'entity', name: string): string | null;
}

/** Fails the orchestration with this message. */
export class TurnFailure extends Error {}

/**
 * Replays the whole list of an orchestrator's actions against its history, as the Durable extension does with the
 * Durable Task Framework: it awaits each top-level action in order and assigns an id when an action is scheduled.
 * Actions that the history does not confirm are new.
 *
 * @see https://github.com/Azure/azure-functions-durable-extension OutOfProcOrchestrationShim.ProcessAsyncActionsV2
 * @see https://github.com/Azure/durabletask TaskOrchestrationContext
 */
export class ActionReplay {
  readonly #actions: readonly Action[];
  readonly #context: ReplayContext;
  readonly #unconfirmed = new Map<number, Effect>();
  readonly #open = new Map<number, ReplayTask>();
  readonly #canceledTimers: number[] = [];
  readonly #externalEvents = new ExternalEvents();
  readonly #carriedEvents: HistoryEvent[] = [];
  #cursor = 0;
  #nextId = 0;
  #actionCount = 0;
  #nowMs = 0;
  #continueAsNewInput: string | null = null;
  #awaiting: ReplayTask | undefined;
  #started = false;

  constructor(actions: readonly Action[], context: ReplayContext) {
    this.#actions = actions;
    this.#context = context;
  }

  /** Whether every action has completed. */
  get isFinished(): boolean {
    return this.#started && this.#cursor === this.#actions.length && (this.#awaiting?.isSettled ?? true);
  }

  /** Activities, sub-orchestrations and timers in progress. An orchestration cannot end before they do. */
  get openCount(): number {
    return this.#open.size;
  }

  get newEffects(): readonly Effect[] {
    return [...this.#unconfirmed.values()];
  }

  get canceledTimerIds(): readonly number[] {
    return this.#canceledTimers;
  }

  get continueAsNewInput(): string | null {
    return this.#continueAsNewInput;
  }

  /** Events raised after continueAsNew, which belong to the next execution. */
  get carriedEvents(): readonly HistoryEvent[] {
    return this.#carriedEvents;
  }

  apply(event: HistoryEvent): void {
    switch (event.type) {
      case 'orchestratorStarted':
        this.#nowMs = event.atMs;
        return;
      case 'executionStarted':
        this.#started = true;
        this.#advance();
        return;
      case 'taskScheduled':
      case 'subOrchestrationCreated':
      case 'timerCreated':
      case 'eventSent':
        checkConfirmation(event, this.#unconfirmed.get(event.id));
        this.#unconfirmed.delete(event.id);
        return;
      case 'taskCompleted':
      case 'subOrchestrationCompleted':
        this.#settle(event.taskId, false);
        return;
      case 'taskFailed':
      case 'subOrchestrationFailed':
        this.#settle(event.taskId, true);
        return;
      case 'timerFired':
        this.#settle(event.timerId, false);
        return;
      case 'eventRaised':
        if (this.#continueAsNewInput === null) this.#externalEvents.raise(event.name);
        else this.#carriedEvents.push(event);
        return;
      case 'orchestratorCompleted':
      case 'executionCompleted':
      case 'executionTerminated':
      case 'executionSuspended':
      case 'executionResumed':
        return;
    }
  }

  #advance(): void {
    while ((this.#awaiting?.isSettled ?? true) && this.#cursor < this.#actions.length) {
      const task = this.#start(this.#actions[this.#cursor++] as Action);
      this.#awaiting = task;
      if (!task.isSettled) task.onSettled(() => this.#advance());
    }
  }

  #start(action: Action): ReplayTask {
    switch (action.type) {
      case 'callActivity':
        this.#requireFunction('activity', action.name);
        return this.#withRetry(action.retry, () =>
          this.#schedule((id) => ({ type: 'scheduleActivity', id, name: action.name, input: action.input })),
        );
      case 'callSubOrchestrator':
        this.#requireFunction('orchestration', action.name);
        this.#requireChildId(action.instanceId);
        return this.#withRetry(action.retry, () =>
          this.#schedule((id) => ({
            type: 'startSubOrchestration',
            id,
            name: action.name,
            instanceId: action.instanceId ?? `${this.#context.executionId}:${id}`,
            input: action.input,
          })),
        );
      case 'createTimer':
        return this.#createTimer(action.fireAtMs, action.isCanceled);
      case 'waitForExternalEvent':
        return this.#externalEvents.wait(action.name);
      case 'callEntity':
        return this.#externalEvents.wait(
          this.#sendToEntity(action.entityId, action.operation, action.input, false).id,
        );
      case 'signalEntity':
        this.#sendToEntity(action.entityId, action.operation, action.input, true);
        return ReplayTask.settled();
      case 'continueAsNew':
        this.#continueAsNewInput = action.input;
        return ReplayTask.settled();
      case 'whenAll':
        return whenAll(action.actions.map((child) => this.#start(child)));
      case 'whenAny':
        return whenAny(action.actions.map((child) => this.#start(child)));
    }
  }

  #schedule(effectOf: (id: number) => Effect): ReplayTask {
    this.#countAction();
    const id = this.#nextId++;
    const task = new ReplayTask();
    this.#unconfirmed.set(id, effectOf(id));
    this.#open.set(id, task);
    return task;
  }

  /** Schedules a timer after every failed attempt, the last included: the SDK's ids depend on it. */
  #withRetry(retry: RetryPolicy | undefined, attempt: () => ReplayTask): ReplayTask {
    if (retry === undefined) return attempt();
    const outcome = new ReplayTask();
    const firstAttemptMs = this.#nowMs;
    const run = (attemptIndex: number): void => {
      const task = attempt();
      task.onSettled(() => {
        if (!task.isFailed) return outcome.settle(false);
        const delayMs = nextRetryDelayMs(retry, attemptIndex, this.#nowMs - firstAttemptMs);
        if (delayMs === 0) return outcome.settle(true);
        this.#scheduleTimer(this.#nowMs + delayMs).onSettled(() => {
          if (attemptIndex + 1 < retry.maxAttempts) run(attemptIndex + 1);
          else outcome.settle(true);
        });
      });
    };
    run(0);
    return outcome;
  }

  #scheduleTimer(fireAtMs: number): ReplayTask {
    return this.#schedule((id) => ({ type: 'createTimer', id, fireAtMs }));
  }

  /** Splits a timer that is longer than storage allows into a chain of shorter ones. */
  #createTimer(fireAtMs: number, isCanceled: boolean): ReplayTask {
    const { maxShortTimerMs, longTimerIntervalMs } = this.#context;
    const isLong = fireAtMs - this.#nowMs > maxShortTimerMs;
    const outcome = new ReplayTask();
    const leg = (legFireAtMs: number): void => {
      const id = this.#nextId;
      const timer = this.#scheduleTimer(legFireAtMs);
      timer.onSettled(() => {
        const remainingMs = fireAtMs - this.#nowMs;
        if (timer.isFailed || !isLong || remainingMs <= 0) outcome.settle(timer.isFailed);
        else leg(this.#nowMs + Math.min(remainingMs, longTimerIntervalMs));
      });
      if (!isCanceled) return;
      this.#canceledTimers.push(id);
      this.#settle(id, true);
    };
    leg(isLong ? this.#nowMs + longTimerIntervalMs : fireAtMs);
    return outcome;
  }

  #sendToEntity(entityId: string, operation: string, input: string | null, isSignal: boolean): EntityRequest {
    const { instanceId, executionId } = this.#context;
    this.#requireFunction('entity', entityId.slice(1, entityId.indexOf('@', 1)));
    this.#countAction();
    const id = this.#nextId++;
    const request: EntityRequest = {
      id: requestId(executionId, id),
      operation,
      input,
      isSignal,
      parentInstanceId: instanceId,
      parentExecutionId: executionId,
    };
    this.#unconfirmed.set(id, { type: 'sendToEntity', id, entityId, request });
    return request;
  }

  #settle(id: number, failed: boolean): void {
    const task = this.#open.get(id);
    // A second completion of a task, or one of a canceled timer: the framework only logs a warning.
    if (task === undefined) return;
    this.#open.delete(id);
    task.settle(failed);
  }

  #countAction(): void {
    if (++this.#actionCount > this.#context.maxActions)
      throw new TurnFailure(
        `Maximum amount of orchestration actions (${this.#context.maxActions}) has been reached. ` +
          'This value can be configured in host.json file as MaxOrchestrationActions.',
      );
  }

  #requireFunction(kind: 'orchestration' | 'activity' | 'entity', name: string): void {
    const why = this.#context.whyUnknown(kind, name);
    if (why !== null) throw new TurnFailure(why);
  }

  #requireChildId(childId: string | null): void {
    if (childId === null) return;
    const { instanceId, parentInstanceId } = this.#context;
    const lower = childId.toLowerCase();
    if (lower === instanceId.toLowerCase() || lower === parentInstanceId?.toLowerCase())
      throw new TurnFailure(
        'The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration.',
      );
    if (childId.startsWith('@')) throw new TurnFailure('Orchestration instance ids must not start with @');
  }
}

/** A GUID that is the same in every replay. */
function requestId(executionId: string, id: number): string {
  const hex = createHash('sha1').update(`${executionId}:${id}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
