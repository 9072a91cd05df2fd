/**
 * The durable engine's model: history, actions, effects. `wire-codec.ts` translates it to a wire format. Times are
 * milliseconds since the Unix epoch; payloads are JSON texts unless a comment says otherwise.
 */

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated';

export const terminalStatuses = ['Completed', 'Failed', 'Terminated'] as const satisfies RuntimeStatus[];

export function isTerminal(status: RuntimeStatus): boolean {
  return (terminalStatuses as readonly RuntimeStatus[]).includes(status);
}

/** A message in the inbox of an orchestration; its next turn moves it to the history. */
export type InboxEvent =
  | {
      readonly type: 'taskCompleted';
      readonly atMs: number;
      readonly taskId: number;
      readonly result: string | null;
    }
  | {
      readonly type: 'taskFailed' | 'subOrchestrationFailed';
      readonly atMs: number;
      readonly taskId: number;
      readonly reason: string;
      readonly details: string;
    }
  | {
      readonly type: 'subOrchestrationCompleted';
      readonly atMs: number;
      readonly taskId: number;
      readonly result: string | null;
    }
  | {
      readonly type: 'timerFired';
      readonly atMs: number;
      readonly timerId: number;
      readonly fireAtMs: number;
    }
  | {
      readonly type: 'eventRaised';
      readonly atMs: number;
      readonly name: string;
      readonly input: string | null;
    }
  | {
      readonly type: 'executionTerminated' | 'executionSuspended' | 'executionResumed';
      readonly atMs: number;
      readonly reason: string | null;
    };

export type HistoryEvent =
  | InboxEvent
  | { readonly type: 'orchestratorStarted' | 'orchestratorCompleted'; readonly atMs: number }
  | {
      readonly type: 'executionStarted';
      readonly atMs: number;
      readonly name: string;
      readonly input: string | null;
    }
  | { readonly type: 'taskScheduled'; readonly atMs: number; readonly id: number; readonly name: string }
  | {
      readonly type: 'subOrchestrationCreated';
      readonly atMs: number;
      readonly id: number;
      readonly name: string;
      readonly instanceId: string;
    }
  | { readonly type: 'timerCreated'; readonly atMs: number; readonly id: number; readonly fireAtMs: number }
  | {
      readonly type: 'eventSent';
      readonly atMs: number;
      readonly id: number;
      readonly entityId: string;
      readonly request: EntityRequest;
    }
  | {
      readonly type: 'executionCompleted';
      readonly atMs: number;
      readonly status: 'Completed' | 'Failed';
      readonly result: string | null;
    };

/** One operation for an entity. `parent*` is set when an orchestration awaits the answer. */
export interface EntityRequest {
  readonly id: string;
  readonly operation: string;
  readonly input: string | null;
  readonly isSignal: boolean;
  readonly parentInstanceId?: string;
  readonly parentExecutionId?: string;
}

export interface RetryPolicy {
  readonly firstIntervalMs: number;
  readonly maxAttempts: number;
  readonly backoffCoefficient: number;
  readonly maxIntervalMs: number;
  readonly timeoutMs: number;
}

/** A request of an orchestrator, in the order of its code. A reply repeats the whole list since the start. */
export type Action =
  | {
      readonly type: 'callActivity';
      readonly name: string;
      readonly input: string;
      readonly retry?: RetryPolicy;
    }
  | {
      readonly type: 'callSubOrchestrator';
      readonly name: string;
      readonly instanceId: string | null;
      readonly input: string;
      readonly retry?: RetryPolicy;
    }
  | { readonly type: 'continueAsNew'; readonly input: string }
  | { readonly type: 'createTimer'; readonly fireAtMs: number; readonly isCanceled: boolean }
  | { readonly type: 'waitForExternalEvent'; readonly name: string }
  | {
      readonly type: 'callEntity' | 'signalEntity';
      readonly entityId: string;
      readonly operation: string;
      readonly input: string | null;
    }
  | { readonly type: 'whenAny' | 'whenAll'; readonly actions: readonly Action[] };

/** An orchestrator's reply to one invocation. `threw`: it failed without a state, for example did not load. */
export type Decision =
  | {
      readonly kind: 'replied';
      readonly isDone: boolean;
      readonly actions: readonly Action[];
      readonly output: string | null;
      readonly customStatus: string | null;
      /** Set when the orchestrator's code threw. */
      readonly error: string | null;
    }
  | { readonly kind: 'threw'; readonly message: string };

/** A side effect of a turn, committed with the history that records it. */
export type Effect =
  | { readonly type: 'scheduleActivity'; readonly id: number; readonly name: string; readonly input: string }
  | {
      readonly type: 'startSubOrchestration';
      readonly id: number;
      readonly name: string;
      readonly instanceId: string;
      readonly input: string;
    }
  | { readonly type: 'createTimer'; readonly id: number; readonly fireAtMs: number }
  | { readonly type: 'cancelTimer'; readonly id: number }
  | {
      readonly type: 'sendToEntity';
      readonly id: number;
      readonly entityId: string;
      readonly request: EntityRequest;
    };

export type FunctionKind = 'orchestration' | 'activity' | 'entity';

export interface DurableFunction {
  readonly name: string;
  readonly kind: FunctionKind;
}
