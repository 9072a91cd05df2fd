import {
  arrayOf,
  decodeReply,
  jsonOrNull,
  malformed,
  objectOf,
  optionalTextOf,
  textOf,
} from './json-decode.ts';
import { entityIdOf } from '../identity.ts';
import { encodeHistoryEvent } from './json-history.ts';
import type { Decision } from '../model.ts';
import type { EntityReply, WireCodec } from './wire-codec.ts';

const stateLabel = '\n\n$OutOfProcData$:';

/**
 * The out-of-process JSON protocol of durable-functions 3, schema version 2 ("V3" in its code). Later versions only add
 * entity locks.
 *
 * @see https://github.com/Azure/azure-functions-durable-extension OrchestrationTriggerAttributeBindingProvider,
 *   EntityTriggerAttributeBindingProvider, OutOfProcOrchestrationShim, TaskEntityShim
 */
export const jsonCodec: WireCodec = {
  encodeHistory: (events, isPlayed) => events.map((event) => encodeHistoryEvent(event, isPlayed)).join(','),
  joinHistory: (pieces) => pieces.filter((piece) => piece !== '').join(','),
  encodeOrchestrationTrigger: (trigger) =>
    `{"history":[${trigger.history}],"input":${trigger.input ?? '""'},` +
    `"instanceId":${JSON.stringify(trigger.instanceId)},"isReplaying":${trigger.isReplaying},` +
    `"parentInstanceId":${JSON.stringify(trigger.parentInstanceId)},` +
    '"upperSchemaVersion":1,"upperSchemaVersionNew":2,' +
    `"longRunningTimerIntervalDuration":"${timeSpan(trigger.longTimerIntervalMs)}",` +
    `"maximumShortTimerDuration":"${timeSpan(trigger.maxShortTimerMs)}",` +
    // The misspelling is the extension's.
    '"defaultHttpAsyncRequestSleepTimeMillseconds":30000}',
  decodeOrchestratorReply: decodeReply,
  decodeOrchestratorError: decodeError,
  encodeActivityResult: (value) => jsonOrNull(value),
  encodeEntityTrigger: (trigger) =>
    JSON.stringify({
      self: { name: trigger.name, key: trigger.key },
      exists: trigger.exists,
      state: trigger.state,
      batch: trigger.batch.map(({ operation, input, isSignal, id }) => ({
        name: operation,
        input,
        isSignal,
        id,
      })),
    }),
  decodeEntityReply,
  encodeEntityResponse: ({ isError, result }) =>
    JSON.stringify({ result, ...(isError ? { exceptionType: 'Error' } : {}) }),
};

function decodeError(error: unknown): Decision {
  const message = error instanceof Error ? error.message : String(error);
  const at = message.indexOf(stateLabel);
  if (at < 0) return { kind: 'threw', message };
  const decision = decodeReply(message.slice(at + stateLabel.length));
  // The extension leaves an orchestration that threw an empty message running forever; here it fails.
  return decision.kind === 'replied' && decision.error === null
    ? { ...decision, error: 'The orchestrator threw an error without a message.' }
    : decision;
}

function decodeEntityReply(reply: unknown, batchSize: number): EntityReply {
  const state = objectOf(reply, 'entity reply');
  const results = arrayOf(state['results'], 'results').map((value) => {
    const result = objectOf(value, 'results[]');
    return { isError: result['isError'] === true, result: optionalTextOf(result, 'result') };
  });
  if (results.length !== batchSize)
    throw malformed(`${batchSize} operations were sent and ${results.length} results came back`);
  const exists = state['entityExists'] === true;
  return {
    exists,
    state: exists ? optionalTextOf(state, 'entityState') : null,
    results,
    signals: arrayOf(state['signals'], 'signals').map((value) => {
      const signal = objectOf(value, 'signals[]');
      const target = objectOf(signal['target'], 'signals[].target');
      return {
        entityId: entityIdOf(textOf(target, 'name'), textOf(target, 'key')),
        operation: textOf(signal, 'name'),
        input: optionalTextOf(signal, 'input'),
      };
    }),
  };
}

/** Whole days as .NET's TimeSpan: `d.hh:mm:ss`. */
function timeSpan(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? clock : `${days}.${clock}`;
}
