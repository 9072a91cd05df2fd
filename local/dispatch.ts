import type { Ids } from '../shared/core/ids.ts';
import type { Logger, LogLevel } from '../shared/core/logger.ts';
import type { Dispatch, FunctionCall, OutputCall, RunningExtension } from './host-context.ts';
import type { RpcLogLevel } from './worker/core-api.ts';
import type { FunctionEntry } from './worker/function-table.ts';
import { invokeFunction } from './worker/invoke.ts';
import type { LoadedApp } from './worker/load.ts';
import type { InvocationResponse, NamedData } from './worker/typed-data.ts';

export interface DispatcherOptions {
  readonly app: LoadedApp;
  readonly functionTimeoutMs: number;
  readonly ids: Ids;
  readonly log: Logger;
  /** By binding type. Filled while the extensions start. */
  readonly inputs: ReadonlyMap<string, RunningExtension>;
  readonly outputs: ReadonlyMap<string, RunningExtension>;
}

/** The one way into the worker: fills in the other inputs, calls, bounds the time, and writes the extra outputs. */
export function createDispatch(options: DispatcherOptions): Dispatch {
  const { app, functionTimeoutMs, ids, log, inputs, outputs } = options;

  return async function dispatch(fn, call) {
    const invocationId = call.invocationId ?? ids.uuid();
    const request = {
      invocationId,
      inputData: collectInputs(fn, call, inputs),
      triggerMetadata: call.metadata,
      ...(call.retryContext && { retryContext: call.retryContext }),
    };
    const running = invokeFunction(app, fn.name, request, (level, category, message) => {
      if (category === 'user' || level === 'warning' || level === 'error')
        log.log(toLogLevel(level), message, { function: fn.name, invocationId });
    });
    const response = await withTimeout(running, call.timeoutMs ?? functionTimeoutMs, fn.name);
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

/** The extra outputs, and the return value where it is bound to something other than the HTTP reply. */
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

/** The values that `{name}` in an output's path may take: text in the trigger's metadata, and `rand-guid`. */
function readBindingData(call: FunctionCall): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, data] of Object.entries(call.metadata))
    if (data.string !== undefined) values[name.toLowerCase()] = data.string;
  return values;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number, name: string): Promise<T> {
  if (timeoutMs === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Timeout value of ${timeoutMs / 1000} s was exceeded by function "${name}".`)),
      Math.min(timeoutMs, 2 ** 31 - 1),
    );
    timer.unref();
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
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
