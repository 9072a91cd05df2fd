import type { InboxMessage } from '../store/instance-store.ts';
import type { HistoryEvent } from '../model.ts';

export interface TurnBatch {
  /** The messages that this turn consumes, oldest first; stale ones are dropped. */
  readonly consumed: readonly InboxMessage[];
  readonly events: readonly HistoryEvent[];
  readonly isSuspended: boolean;
  /** Set when this turn terminates the execution. */
  readonly termination: { readonly reason: string | null } | null;
}

/**
 * Chooses the messages of an execution's next turn. A suspended one receives only resume, suspend and terminate, and
 * keeps the rest in its inbox. Answers to an earlier execution of the instance are dropped.
 *
 * @param maxEvents how many ordinary messages one turn may take
 */
export function takeBatch(
  execution: { readonly executionId: string; readonly isSuspended: boolean },
  messages: readonly InboxMessage[],
  maxEvents: number,
): TurnBatch {
  const isSuspended = messages.reduce(
    (state, { event }) =>
      event.type === 'executionSuspended' || (event.type === 'executionResumed' ? false : state),
    execution.isSuspended,
  );
  const consumed: InboxMessage[] = [];
  const events: HistoryEvent[] = [];
  let termination: TurnBatch['termination'] = null;
  let taken = 0;
  for (const message of messages) {
    const { event, executionId } = message;
    const isStale = executionId !== null && executionId !== execution.executionId;
    const isControl =
      event.type === 'executionTerminated' ||
      event.type === 'executionSuspended' ||
      event.type === 'executionResumed';
    if (!isStale && !isControl && (isSuspended || taken >= maxEvents)) continue;
    consumed.push(message);
    if (isStale) continue;
    if (!isControl) taken++;
    events.push(event);
    if (event.type === 'executionTerminated') termination ??= { reason: event.reason };
  }
  return { consumed, events, isSuspended, termination };
}
