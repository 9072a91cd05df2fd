import type { Instance } from '../store/instance-store.ts';
import { wireEventTypes, isoTime } from '../wire/json-history.ts';
import type { HistoryEvent } from '../model.ts';

/** The extension's `StatusResponsePayload`: times in whole seconds, unset members null. */
export interface StatusPayload {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly customStatus: unknown;
  readonly output: unknown;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly historyEvents?: readonly unknown[];
}

export function statusPayload(
  instance: Instance,
  options: { readonly showInput: boolean; readonly history?: readonly unknown[] },
): StatusPayload {
  return {
    name: instance.name,
    instanceId: instance.instanceId,
    runtimeStatus: instance.status,
    input: options.showInput ? tokenOf(instance.input) : null,
    customStatus: tokenOf(instance.customStatus),
    output: tokenOf(instance.output),
    createdTime: secondsTime(instance.createdMs),
    lastUpdatedTime: secondsTime(instance.updatedMs),
    ...(options.history === undefined ? {} : { historyEvents: options.history }),
  };
}

/** Parses JSON; other texts (failures, reasons) stay texts. */
function tokenOf(text: string | null): unknown {
  if (text === null) return null;
  if (text.trim() === '') return '';
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function secondsTime(atMs: number): string {
  return `${isoTime(atMs).slice(0, 19)}Z`;
}

/**
 * The history for readers: merges starts into their ends and omits inputs and ids; results on request.
 *
 * @see DurableClient.GetDurableOrchestrationStatusAsync
 */
export function historyForStatus(history: readonly HistoryEvent[], showOutput: boolean): readonly unknown[] {
  const starts = new Map<number, { readonly name: string; readonly atMs: number }>();
  const ended = new Set<number>();
  for (const event of history) {
    if (event.type === 'taskScheduled' || event.type === 'subOrchestrationCreated')
      starts.set(event.id, event);
    if ('taskId' in event) ended.add(event.taskId);
  }
  return history.flatMap((event) => {
    const members = membersOf(event, starts, ended, showOutput);
    const head = { EventType: wireEventTypes[event.type][1], Timestamp: isoTime(event.atMs) };
    return members === null ? [] : [{ ...head, ...members }];
  });
}

function membersOf(
  event: HistoryEvent,
  starts: ReadonlyMap<number, { readonly name: string; readonly atMs: number }>,
  ended: ReadonlySet<number>,
  showOutput: boolean,
): Readonly<Record<string, unknown>> | null {
  const scheduled = (taskId: number): Readonly<Record<string, unknown>> => {
    const start = starts.get(taskId);
    return start === undefined ? {} : { ScheduledTime: isoTime(start.atMs), FunctionName: start.name };
  };
  switch (event.type) {
    case 'orchestratorStarted':
    case 'orchestratorCompleted':
      return null;
    case 'executionStarted':
      return { FunctionName: event.name };
    case 'taskScheduled':
      return ended.has(event.id) ? null : { Name: event.name };
    case 'subOrchestrationCreated':
      return ended.has(event.id) ? null : { Name: event.name, InstanceId: event.instanceId };
    case 'taskCompleted':
    case 'subOrchestrationCompleted':
      return { ...(showOutput ? { Result: tokenOf(event.result) } : {}), ...scheduled(event.taskId) };
    case 'taskFailed':
    case 'subOrchestrationFailed':
      return { Reason: event.reason, Details: event.details, ...scheduled(event.taskId) };
    case 'timerCreated':
    case 'timerFired':
      return { FireAt: isoTime(event.fireAtMs) };
    case 'eventSent':
      return { InstanceId: event.entityId, Name: 'op' };
    case 'eventRaised':
      return { Name: event.name };
    case 'executionTerminated':
      return {};
    case 'executionSuspended':
    case 'executionResumed':
      return { Reason: event.reason };
    case 'executionCompleted':
      return {
        OrchestrationStatus: event.status,
        ...(showOutput ? { Result: tokenOf(event.result) } : {}),
      };
  }
}
