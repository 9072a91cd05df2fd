import { AppError } from '../../../shared/core/errors.ts';
import type { Action, Decision, RetryPolicy } from '../model.ts';

export type WireObject = Readonly<Record<string, unknown>>;

const dayMs = 86_400_000;

/** The SDK's numbers for its actions. */
const actionTypes = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
} as const;

const unsupported: Readonly<Record<number, string>> = {
  8: 'context.df.callHttp is',
  10: 'Scheduled entity signals are',
  13: 'Entity locks (context.df.lock) are',
  14: 'Entity locks (context.df.lock) are',
};

/** `{isDone, actions: [[…]], output, error, customStatus, schemaVersion}` → a decision. */
export function decodeReply(reply: unknown): Decision {
  const state = objectOf(typeof reply === 'string' ? parse(reply) : reply, 'orchestrator reply');
  const lists = arrayOf(state['actions'], 'actions');
  const version = state['schemaVersion'];
  if (version !== 1 && version !== 2)
    throw malformed(`schema version 1 or 2 was expected, got ${JSON.stringify(version)}`);
  if (lists.length !== 1) throw malformed(`one list of actions was expected, got ${lists.length}`);
  const error = state['error'];
  return {
    kind: 'replied',
    isDone: state['isDone'] === true,
    actions: arrayOf(lists[0], 'actions[0]').map(decodeAction),
    output: jsonOrNull(state['output']),
    customStatus: jsonOrNull(state['customStatus']),
    error: typeof error === 'string' && error !== '' ? error : null,
  };
}

function decodeAction(value: unknown): Action {
  const action = objectOf(value, 'action');
  const type = action['actionType'];
  switch (type) {
    case actionTypes.callActivity:
    case actionTypes.callActivityWithRetry: {
      const retry = type === actionTypes.callActivityWithRetry ? { retry: decodeRetry(action) } : {};
      // The SDK has already serialized strings, and nothing else.
      const input = action['input'];
      const text = typeof input === 'string' ? input : (jsonOrNull(input) ?? 'null');
      return { type: 'callActivity', name: textOf(action, 'functionName'), input: text, ...retry };
    }
    case actionTypes.callSubOrchestrator:
    case actionTypes.callSubOrchestratorWithRetry: {
      const retry = type === actionTypes.callSubOrchestratorWithRetry ? { retry: decodeRetry(action) } : {};
      const instanceId = optionalTextOf(action, 'instanceId');
      const input = jsonOrNull(action['input']) ?? 'null';
      return {
        type: 'callSubOrchestrator',
        name: textOf(action, 'functionName'),
        instanceId,
        input,
        ...retry,
      };
    }
    case actionTypes.continueAsNew:
      return { type: 'continueAsNew', input: jsonOrNull(action['input']) ?? 'null' };
    case actionTypes.createTimer:
      return { type: 'createTimer', fireAtMs: timeOf(action), isCanceled: action['isCanceled'] === true };
    case actionTypes.waitForExternalEvent:
      return { type: 'waitForExternalEvent', name: textOf(action, 'externalEventName') };
    case actionTypes.callEntity:
    case actionTypes.signalEntity:
      return {
        type: type === actionTypes.callEntity ? 'callEntity' : 'signalEntity',
        entityId: textOf(action, 'instanceId'),
        operation: textOf(action, 'operation'),
        input: jsonOrNull(action['input']),
      };
    case actionTypes.whenAny:
    case actionTypes.whenAll: {
      const actions = arrayOf(action['compoundActions'], 'compoundActions').map(decodeAction);
      return { type: type === actionTypes.whenAny ? 'whenAny' : 'whenAll', actions };
    }
    default: {
      const what = typeof type === 'number' ? unsupported[type] : undefined;
      throw malformed(
        what === undefined
          ? `unknown action type ${JSON.stringify(type)}`
          : `${what} not supported by the local host`,
      );
    }
  }
}

function decodeRetry(action: WireObject): RetryPolicy {
  const options = objectOf(action['retryOptions'], 'retryOptions');
  const number = (name: string, fallback: number): number => {
    const value = options[name];
    return typeof value === 'number' ? value : fallback;
  };
  return {
    firstIntervalMs: number('firstRetryIntervalInMilliseconds', 0),
    maxAttempts: number('maxNumberOfAttempts', 1),
    backoffCoefficient: number('backoffCoefficient', 1),
    maxIntervalMs: number('maxRetryIntervalInMilliseconds', 6 * dayMs),
    timeoutMs: number('retryTimeoutInMilliseconds', Number.POSITIVE_INFINITY),
  };
}

export function malformed(reason: string): AppError {
  return new AppError('UNPROCESSABLE', `Malformed durable reply: ${reason}.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(`it is not JSON (${String(error)})`);
  }
}

export function objectOf(value: unknown, what: string): WireObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is not an object`);
  return value as WireObject;
}

export function arrayOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is not a list`);
  return value as readonly unknown[];
}

export function textOf(object: WireObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw malformed(`${name} is not a string`);
  return value;
}

export function optionalTextOf(object: WireObject, name: string): string | null {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function timeOf(action: WireObject): number {
  const timeMs = Date.parse(textOf(action, 'fireAt'));
  if (Number.isNaN(timeMs)) throw malformed('fireAt is not a time');
  return timeMs;
}

/** Absent and null are the same to the extension. */
export function jsonOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
