import type { Decision, Effect, HistoryEvent } from '../model.ts';
import { decideTurn, recordOf, type TurnInput, type TurnOutcome } from './turn.ts';

type Ask = (played: readonly HistoryEvent[], fresh: readonly HistoryEvent[]) => Promise<Decision>;

/**
 * Replays every turn of an orchestrator from the first, and compares each decision with its history and the last one
 * with the decision it has just made.
 *
 * @returns null when all decisions are the same, otherwise the difference
 */
export async function verifyReplay(
  input: Omit<TurnInput, 'decision'>,
  outcome: TurnOutcome,
  ask: Ask,
): Promise<string | null> {
  let from = 0;
  for (const turn of turnsOf(input.history)) {
    const played = input.history.slice(0, from);
    const isLast = from + turn.length === input.history.length;
    const arrived = isLast ? turn : turn.filter((event) => !isDecision(event));
    const history = [...played, ...arrived];
    const again = decideTurn({ ...input, history, decision: await ask(played, arrived) });
    const fault = isLast
      ? (difference(again.effects, outcome.effects) ?? difference([again.end], [outcome.end]))
      : difference(
          again.effects.filter(isRecorded).map(summaryOf),
          turn.filter(isScheduling).map(withoutTime),
        );
    if (fault !== null) return `Non-Deterministic workflow detected: under full replay, ${fault}`;
    from += turn.length;
  }
  return null;
}

/** Splits a history at each OrchestratorStarted. */
function turnsOf(history: readonly HistoryEvent[]): readonly (readonly HistoryEvent[])[] {
  const turns: HistoryEvent[][] = [];
  for (const event of history) {
    if (event.type === 'orchestratorStarted') turns.push([event]);
    else turns.at(-1)?.push(event);
  }
  return turns;
}

function isScheduling(event: HistoryEvent): boolean {
  return (
    event.type === 'taskScheduled' ||
    event.type === 'subOrchestrationCreated' ||
    event.type === 'timerCreated' ||
    event.type === 'eventSent'
  );
}

function isDecision(event: HistoryEvent): boolean {
  return isScheduling(event) || event.type === 'orchestratorCompleted';
}

function isRecorded(effect: Effect): boolean {
  return effect.type !== 'cancelTimer';
}

function summaryOf(effect: Effect): unknown {
  return withoutTime(recordOf(effect, 0));
}

function withoutTime(event: HistoryEvent): unknown {
  return { ...event, atMs: 0 };
}

function difference(actual: readonly unknown[], expected: readonly unknown[]): string | null {
  for (let index = 0; index < Math.max(actual.length, expected.length); index++) {
    const [now, then] = [JSON.stringify(actual[index]), JSON.stringify(expected[index])];
    if (now !== then) return `decision ${index} was ${then ?? 'absent'} and is now ${now ?? 'absent'}.`;
  }
  return null;
}
