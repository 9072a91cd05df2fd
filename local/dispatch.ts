import { withTimeout } from '../shared/core/async/with-timeout.ts';
import type { Ids } from '../shared/core/ids.ts';
import type { Logger, LogLevel } from '../shared/core/logger.ts';
import type { Dispatch, FunctionCall, OutputCall, RunningExtension } from './host-context.ts';
import type { RpcLogLevel } from './worker/core-api.ts';
import type { FunctionEntry } from './worker/function-table.ts';
import { invokeFunction } from './worker/invoke.ts';
import type { LoadedApp } from './worker/load.ts';
import type { InvocationResponse, NamedData } from './worker/typed-data.ts';

export interface DispatchDeps {
  readonly app: LoadedApp;
  readonly ids: Ids;
  readonly log: Logger;
  /** By binding type. Filled while the extensions start. */
  readonly inputs: ReadonlyMap<string, RunningExtension>;
  readonly outputs: ReadonlyMap<string, RunningExtension>;
}

/** The only way into the worker: adds the other inputs, calls the function, limits its time, writes extra outputs. */
export function createDispatch(
  { app, ids, log, inputs, outputs }: DispatchDeps,
  { functionTimeoutMs }: { readonly functionTimeoutMs: number },
): Dispatch {
  return async function dispatch(fn, call) {
    const invocationId = call.invocationId ?? ids.uuid();
    const request = {
      invocationId,
      inputData: collectInputs(fn, call, inputs),
      triggerMetadata: call.metadata,
      ...(call.retryContext && { retryContext: call.retryContext }),
    };
    const invoke = () =>
      invokeFunction(app, fn.name, request, (level, category, message) => {
        if (category === 'user' || level === 'warning' || level === 'error')
          log.log(toLogLevel(level), message, { function: fn.name, invocationId });
      });
    const timeoutMs = call.timeoutMs ?? functionTimeoutMs;
    const toError = () =>
      new Error(`Timeout value of ${timeoutMs / 1000} s was exceeded by function "${fn.name}".`);
    const response = await (timeoutMs === Infinity ? invoke() : withTimeout({ timeoutMs, toError }, invoke));
    if (fn.outputs.length > 0 || (fn.returns && fn.returns.type !== 'http'))
      await writeOutputs(fn, response, { fn, invocationId, bindingData: readBindingData(call) }, outputs);
    return response.returnValue;
  };
}

function collectInputs(
  fn: FunctionEntry,
  call: FunctionCall,
  inputs: ReadonlyMap<string, RunningExtension>,
): readonly NamedData[] {
  const trigger = { name: fn.trigger.name, data: call.trigger };
  if (fn.inputs.length === 0) return [trigger];
  const others = fn.inputs.flatMap((binding) => {
    const data = inputs.get(binding.type)?.readInput?.(binding);
    return data ? [{ name: binding.name, data }] : [];
  });
  return [trigger, ...others];
}

/** Writes the extra outputs, and the return value when it is bound to something other than the HTTP reply. */
async function writeOutputs(
  fn: FunctionEntry,
  { outputData = [], returnValue }: InvocationResponse,
  call: OutputCall,
  outputs: ReadonlyMap<string, RunningExtension>,
): Promise<void> {
  for (const { name, data } of outputData) {
    const binding = fn.outputs.find((output) => output.name === name);
    if (binding) await outputs.get(binding.type)?.writeOutput?.(binding, data, call);
  }
  if (fn.returns && fn.returns.type !== 'http' && returnValue)
    await outputs.get(fn.returns.type)?.writeOutput?.(fn.returns, returnValue, call);
}

/** Reads the values of `{name}` in an output's path: texts in the trigger's metadata. */
function readBindingData(call: FunctionCall): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, data] of Object.entries(call.metadata))
    if (data.string !== undefined) values[name.toLowerCase()] = data.string;
  return values;
}

export function toLogLevel(level: RpcLogLevel): LogLevel {
  switch (level) {
    case 'trace':
    case 'debug':
    case 'none':
      return 'debug';
    case 'information':
      return 'info';
    case 'warning':
      return 'warn';
    case 'error':
    case 'critical':
      return 'error';
  }
}
