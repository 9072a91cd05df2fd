import Module from 'node:module';

/**
 * A minimal Functions worker: answers `require('@azure/functions-core')`, collects registrations, and calls them with a
 * string trigger as the real worker does. Import it before `@azure/functions`.
 */
interface Metadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, { readonly type: string; readonly direction: string }>>;
}

interface RpcData {
  readonly string?: string;
  readonly json?: string;
  readonly int?: number;
  readonly double?: number;
}

interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<{ returnValue?: RpcData | null }>;
}

type Callback = (...args: unknown[]) => unknown;

interface RegisteredFunction {
  readonly metadata: Metadata;
  readonly callback: Callback;
}

const functions = new Map<string, RegisteredFunction>();
let model: { getInvocationModel(context: object): InvocationModel } | undefined;

const core = {
  version: '3.12.0',
  hostVersion: '4.1040.0',
  registerFunction: (metadata: Metadata, callback: Callback) => {
    functions.set(metadata.name, { metadata, callback });
    return { dispose: () => functions.delete(metadata.name) };
  },
  setProgrammingModel: (value: typeof model) => {
    model = value;
  },
  getProgrammingModel: () => model,
  registerHook: () => ({ dispose: () => undefined }),
  log: () => undefined,
  Disposable: Object,
};

type Load = (request: string, ...rest: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load };
const load = loader._load;
loader._load = function (this: unknown, request, ...rest) {
  return request === '@azure/functions-core' ? core : load.call(this, request, ...rest);
};

let invocations = 0;

export function registeredDurableFunctions(): readonly {
  readonly name: string;
  readonly kind: 'orchestration' | 'activity' | 'entity';
}[] {
  const kinds = {
    orchestrationTrigger: 'orchestration',
    activityTrigger: 'activity',
    entityTrigger: 'entity',
  } as const;
  return [...functions.values()].flatMap(({ metadata }) =>
    Object.values(metadata.bindings).flatMap(({ type }) =>
      type in kinds ? [{ name: metadata.name, kind: kinds[type as keyof typeof kinds] }] : [],
    ),
  );
}

/** Calls a function with its trigger string through the real programming model. @returns its value */
export async function callRegistered(name: string, input: string): Promise<unknown> {
  const registered = functions.get(name);
  if (registered === undefined || model === undefined) throw new Error(`no function '${name}'`);
  const { metadata, callback } = registered;
  const trigger = Object.entries(metadata.bindings).find(([, { type }]) => type.endsWith('Trigger'))?.[0];
  const invocation = model.getInvocationModel({
    invocationId: `test-${invocations++}`,
    metadata,
    request: { inputData: [{ name: trigger, data: { string: input } }], triggerMetadata: {} },
    log: () => undefined,
    state: undefined,
  });
  const { context, inputs } = await invocation.getArguments();
  const result = await invocation.invokeFunction(context, inputs, callback);
  const { returnValue } = await invocation.getResponse(context, result);
  if (returnValue === null || returnValue === undefined) return null;
  if (returnValue.json !== undefined) return JSON.parse(returnValue.json) as unknown;
  return returnValue.string ?? returnValue.int ?? returnValue.double;
}
