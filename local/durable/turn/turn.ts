import { ActionReplay, TurnFailure, type ReplayContext } from './action-replay.ts';
import type { Decision, Effect, HistoryEvent } from '../model.ts';
import { NonDeterminismError } from './nondeterminism.ts';

export interface TurnInput extends ReplayContext {
  readonly orchestrator: string;
  /** From the start of this execution up to the events of this turn. */
  readonly history: readonly HistoryEvent[];
  readonly decision: Decision;
  readonly nowMs: number;
  readonly maxCustomStatusBytes: number;
}

type TurnEnd =
  /** `isStuck`: only an event, a termination or a purge can wake it. */
  | { readonly kind: 'waiting'; readonly openCount: number; readonly isStuck: boolean }
  | { readonly kind: 'completed'; readonly output: string | null }
  /** `output` is plain text, not JSON. */
  | { readonly kind: 'failed'; readonly output: string; readonly details: string }
  | { readonly kind: 'continuedAsNew'; readonly input: string; readonly carried: readonly HistoryEvent[] };

export interface TurnOutcome {
  /** Events to append to the history, after those of this turn. */
  readonly events: readonly HistoryEvent[];
  readonly effects: readonly Effect[];
  /** JSON; null keeps the last one. */
  readonly customStatus: string | null;
  readonly end: TurnEnd;
}

/**
 * One turn of an orchestration as a pure function, from the history and the orchestrator's reply to new history and
 * effects.
 */
export function decideTurn(input: TurnInput): TurnOutcome {
  const { decision, nowMs } = input;
  if (decision.kind === 'threw') return fail(input, decision.message, decision.message);
  const sizeBytes = (decision.customStatus?.length ?? 0) * 2;
  if (sizeBytes > input.maxCustomStatusBytes)
    return fail(input, tooLarge('JSON-serialized payload', sizeBytes, input.maxCustomStatusBytes), '');
  const replay = new ActionReplay(decision.actions, input);
  try {
    for (const event of input.history) replay.apply(event);
  } catch (error) {
    if (error instanceof TurnFailure) return fail(input, error.message, '');
    if (error instanceof NonDeterminismError)
      return end(input, [], { kind: 'failed', output: error.message, details: '' });
    throw error;
  }
  const created = replay.newEffects;
  const effects = [...created, ...cancellations(replay)];
  const events = created.map((effect) => recordOf(effect, nowMs));
  const isOver = decision.isDone || decision.error !== null;
  const customStatus = decision.customStatus;
  if (!replay.isFinished || !isOver || replay.openCount > 0) {
    const isStuck = replay.isFinished && !isOver && replay.openCount === 0 && created.length === 0;
    events.push({ type: 'orchestratorCompleted', atMs: nowMs });
    return { events, effects, customStatus, end: { kind: 'waiting', openCount: replay.openCount, isStuck } };
  }
  if (decision.error !== null) {
    const message = `Orchestrator function '${input.orchestrator}' failed: ${decision.error}`;
    const details = `Message: ${decision.error}, StackTrace: `;
    return { ...end(input, events, { kind: 'failed', output: message, details }), effects, customStatus };
  }
  if (replay.continueAsNewInput !== null) {
    const next: TurnEnd = {
      kind: 'continuedAsNew',
      input: replay.continueAsNewInput,
      carried: replay.carriedEvents,
    };
    return { events, effects, customStatus, end: next };
  }
  return { ...end(input, events, { kind: 'completed', output: decision.output }), effects, customStatus };
}

/** The .NET serializer's text for a payload over its limit; sizes are of UTF-16, in whole KiB. */
function tooLarge(what: string, sizeBytes: number, maxBytes: number): string {
  return (
    `The UTF-16 size of the ${what} must not exceed ${Math.floor(maxBytes / 1024)} KB. ` +
    `The current payload size is ${Math.floor(sizeBytes / 1024)} KB.`
  );
}

function fail(input: TurnInput, message: string, details: string): TurnOutcome {
  const output = `Orchestrator function '${input.orchestrator}' failed: ${message}`;
  return end(input, [], { kind: 'failed', output, details });
}

function end(
  input: TurnInput,
  events: readonly HistoryEvent[],
  ending: Extract<TurnEnd, { kind: 'completed' | 'failed' }>,
): TurnOutcome {
  const completed: HistoryEvent = {
    type: 'executionCompleted',
    atMs: input.nowMs,
    status: ending.kind === 'completed' ? 'Completed' : 'Failed',
    result: ending.output,
  };
  const last: HistoryEvent = { type: 'orchestratorCompleted', atMs: input.nowMs };
  return { events: [...events, completed, last], effects: [], customStatus: null, end: ending };
}

function cancellations(replay: ActionReplay): readonly Effect[] {
  return replay.canceledTimerIds.map((id) => ({ type: 'cancelTimer', id }));
}

/** The history event of an effect, without inputs, as in the extension. */
export function recordOf(effect: Effect, atMs: number): HistoryEvent {
  switch (effect.type) {
    case 'scheduleActivity':
      return { type: 'taskScheduled', atMs, id: effect.id, name: effect.name };
    case 'startSubOrchestration':
      return {
        type: 'subOrchestrationCreated',
        atMs,
        id: effect.id,
        name: effect.name,
        instanceId: effect.instanceId,
      };
    case 'createTimer':
      return { type: 'timerCreated', atMs, id: effect.id, fireAtMs: effect.fireAtMs };
    case 'sendToEntity':
      return { type: 'eventSent', atMs, id: effect.id, entityId: effect.entityId, request: effect.request };
    case 'cancelTimer':
      throw new TypeError('A cancellation leaves no history.');
  }
}
