import type { Effect, HistoryEvent } from '../model.ts';

export type ConfirmingEvent = Extract<
  HistoryEvent,
  { type: 'taskScheduled' | 'subOrchestrationCreated' | 'timerCreated' | 'eventSent' }
>;

/** The orchestrator's decisions differ from its history. */
export class NonDeterminismError extends Error {
  constructor(details: string) {
    super(`Non-Deterministic workflow detected: ${details}`);
  }
}

const question =
  'Was a change made to the orchestrator code after this instance had already started running?';

const words = {
  taskScheduled: { task: 'an activity task', effect: 'scheduleActivity' },
  subOrchestrationCreated: { task: 'a sub-orchestration task', effect: 'startSubOrchestration' },
  timerCreated: { task: 'a timer task', effect: 'createTimer' },
  eventSent: { task: 'a send event task', effect: 'sendToEntity' },
} as const;

/**
 * Compares one recorded action with the replay's action of the same id: the kind, and the function's name without
 * case, as the Durable Task Framework does.
 *
 * @throws NonDeterminismError with the framework's text
 * @see https://github.com/Azure/durabletask TaskOrchestrationContext.HandleTaskScheduledEvent and its siblings
 */
export function checkConfirmation(event: ConfirmingEvent, effect: Effect | undefined): void {
  const { task, effect: expectedType } = words[event.type];
  const named = 'name' in event ? ` and name '${event.name}'` : '';
  const recorded = `A previous execution of this orchestration scheduled ${task} with sequence ID ${event.id}${named}`;
  if (effect === undefined)
    throw new NonDeterminismError(
      `${recorded}, but the current replay execution hasn't (yet?) scheduled this task. ${question}`,
    );
  if (effect.type !== expectedType)
    throw new NonDeterminismError(
      `${recorded}, but the current orchestration replay instead produced a ${effect.type} action with this sequence ID. ${question}`,
    );
  if ('name' in event && 'name' in effect && event.name.toLowerCase() !== effect.name.toLowerCase())
    throw new NonDeterminismError(
      `${recorded}, but the current orchestration replay instead scheduled '${effect.name}' with this sequence ID. ${question}`,
    );
}
