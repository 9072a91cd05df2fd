import type { EntityRequest, HistoryEvent } from '../model.ts';

/** The numbers of DurableTask.Core.History.EventType. */
export const wireEventTypes = {
  executionStarted: [0, 'ExecutionStarted'],
  executionCompleted: [1, 'ExecutionCompleted'],
  executionTerminated: [3, 'ExecutionTerminated'],
  taskScheduled: [4, 'TaskScheduled'],
  taskCompleted: [5, 'TaskCompleted'],
  taskFailed: [6, 'TaskFailed'],
  subOrchestrationCreated: [7, 'SubOrchestrationInstanceCreated'],
  subOrchestrationCompleted: [8, 'SubOrchestrationInstanceCompleted'],
  subOrchestrationFailed: [9, 'SubOrchestrationInstanceFailed'],
  timerCreated: [10, 'TimerCreated'],
  timerFired: [11, 'TimerFired'],
  orchestratorStarted: [12, 'OrchestratorStarted'],
  orchestratorCompleted: [13, 'OrchestratorCompleted'],
  eventSent: [14, 'EventSent'],
  eventRaised: [15, 'EventRaised'],
  executionSuspended: [19, 'ExecutionSuspended'],
  executionResumed: [20, 'ExecutionResumed'],
} as const satisfies Record<HistoryEvent['type'], readonly [number, string]>;

const text = (value: string | null): string => (value === null ? 'null' : JSON.stringify(value));
export const isoTime = (atMs: number): string => new Date(atMs).toISOString();

/** One history event as the SDK reads it. Concatenated by hand, because a turn encodes thousands. */
export function encodeHistoryEvent(event: HistoryEvent, isPlayed: boolean): string {
  const id = 'id' in event ? event.id : -1;
  const head =
    `{"EventType":${wireEventTypes[event.type][0]},"EventId":${id},"IsPlayed":${isPlayed},` +
    `"Timestamp":"${isoTime(event.atMs)}"`;
  return `${head}${encodeMembers(event)}}`;
}

function encodeMembers(event: HistoryEvent): string {
  switch (event.type) {
    case 'orchestratorStarted':
    case 'orchestratorCompleted':
      return '';
    case 'executionStarted':
      return `,"Name":${text(event.name)},"Input":${text(event.input)},"Version":""`;
    case 'taskScheduled':
      return `,"Name":${text(event.name)},"Version":"","Input":null`;
    case 'taskCompleted':
    case 'subOrchestrationCompleted':
      return `,"TaskScheduledId":${event.taskId},"Result":${text(event.result)}`;
    case 'taskFailed':
    case 'subOrchestrationFailed':
      return `,"TaskScheduledId":${event.taskId},"Reason":${text(event.reason)},"Details":${text(event.details)},"FailureDetails":null`;
    case 'subOrchestrationCreated':
      return `,"Name":${text(event.name)},"InstanceId":${text(event.instanceId)},"Version":"","Input":null`;
    case 'timerCreated':
      return `,"FireAt":"${isoTime(event.fireAtMs)}"`;
    case 'timerFired':
      return `,"TimerId":${event.timerId},"FireAt":"${isoTime(event.fireAtMs)}"`;
    case 'eventSent':
      return `,"InstanceId":${text(event.entityId)},"Name":"op","Input":${text(encodeRequest(event.request))}`;
    case 'eventRaised':
      return `,"Name":${text(event.name)},"Input":${text(event.input)}`;
    case 'executionTerminated':
    case 'executionSuspended':
    case 'executionResumed':
      return `,"${event.type === 'executionTerminated' ? 'Input' : 'Reason'}":${text(event.reason)}`;
    case 'executionCompleted':
      return `,"OrchestrationStatus":${event.status === 'Completed' ? 1 : 3},"Result":${text(event.result)}`;
  }
}

/** @see azure-functions-durable-extension EntityScheduler/RequestMessage.cs for the short names. */
function encodeRequest(request: EntityRequest): string {
  return JSON.stringify({
    op: request.operation,
    ...(request.isSignal ? { signal: true } : {}),
    ...(request.input === null ? {} : { input: request.input }),
    id: request.id,
    parent: request.parentInstanceId,
  });
}
