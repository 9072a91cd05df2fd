import type {
  CoreInvocationContext,
  FunctionCallback,
  HookCallback,
  RpcLogCategory,
  RpcLogLevel,
} from './core-api.ts';
import type { LoadedApp } from './load.ts';
import type { InvocationRequest, InvocationResponse } from './typed-data.ts';

export type InvocationLog = (level: RpcLogLevel, category: RpcLogCategory, message: string) => void;

class CoreContext implements CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: CoreInvocationContext['metadata'];
  readonly request: InvocationRequest;
  readonly log: InvocationLog;
  state: CoreInvocationContext['state'];

  constructor(metadata: CoreInvocationContext['metadata'], request: InvocationRequest, log: InvocationLog) {
    this.invocationId = request.invocationId;
    this.metadata = metadata;
    this.request = request;
    this.log = log;
  }
}

interface HookContext {
  readonly hookData: Record<string, unknown>;
  readonly appHookData: Record<string, unknown>;
  readonly invocationContext: object;
  inputs: unknown[];
  functionCallback: FunctionCallback;
  result: unknown;
  error: unknown;
}

/**
 * Calls a function in the real worker's order: arguments, preInvocation hooks (which may change the inputs and the
 * handler), the handler, postInvocation hooks (which may change the result or the error), the response.
 *
 * @throws the function's error, unless a hook replaced it
 * @see https://github.com/Azure/azure-functions-nodejs-worker/blob/v4.x/src/eventHandlers/InvocationHandler.ts
 */
export async function invokeFunction(
  app: LoadedApp,
  name: string,
  request: InvocationRequest,
  log: InvocationLog,
): Promise<InvocationResponse> {
  const { functions, hooks } = app.registrations;
  const registered = functions.get(name);
  if (!registered) throw new Error(`Function code for '${name}' is not loaded and cannot be invoked.`);
  const core = new CoreContext(registered.metadata, request, log);
  const model = app.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();

  if (hooks.preInvocation.length === 0 && hooks.postInvocation.length === 0) {
    core.state = 'invocation';
    const result = await model.invokeFunction(context, inputs, registered.callback);
    core.state = undefined;
    return model.getResponse(context, result);
  }

  const hookContext: HookContext = {
    hookData: {},
    appHookData: app.appHookData,
    invocationContext: context,
    inputs,
    functionCallback: registered.callback,
    result: null,
    error: null,
  };
  core.state = 'preInvocationHooks';
  await runHooks(hooks.preInvocation, hookContext);
  core.state = 'invocation';
  try {
    hookContext.result = await model.invokeFunction(
      context,
      hookContext.inputs,
      hookContext.functionCallback,
    );
  } catch (error) {
    hookContext.error = error;
  }
  core.state = 'postInvocationHooks';
  await runHooks(hooks.postInvocation, hookContext);
  core.state = undefined;
  if (hookContext.error !== null && hookContext.error !== undefined) throw hookContext.error;
  return model.getResponse(context, hookContext.result);
}

async function runHooks(hooks: readonly HookCallback[], context: object): Promise<void> {
  for (const hook of hooks) await hook(context);
}
