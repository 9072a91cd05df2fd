import Module from 'node:module';
import type { InvocationRequest, InvocationResponse } from './typed-data.ts';

/**
 * The object that `require('@azure/functions-core')` returns inside a Functions worker. The module is in no registry:
 * the worker intercepts `require`, and without it `@azure/functions` enters "test mode".
 *
 * The SDK caches the first object for the life of the process. So there is one core API per process, which registers
 * with the app that is being loaded.
 *
 * @see https://github.com/Azure/azure-functions-nodejs-worker/blob/v4.x/src/setupCoreModule.ts
 */
export interface CoreFunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, CoreBinding>>;
  readonly retryOptions?: CoreRetryOptions;
}

export interface CoreBinding {
  readonly type: string;
  readonly direction: 'in' | 'out';
  readonly properties?: Readonly<Record<string, string>>;
  readonly [setting: string]: unknown;
}

export interface CoreRetryOptions {
  readonly retryStrategy?: 'fixedDelay' | 'exponentialBackoff';
  readonly maxRetryCount?: number;
  readonly delayInterval?: { readonly seconds: number };
  readonly minimumInterval?: { readonly seconds: number };
  readonly maximumInterval?: { readonly seconds: number };
}

export type FunctionCallback = (...args: unknown[]) => unknown;
export type HookCallback = (context: object) => unknown;
export type RpcLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type RpcLogCategory = 'user' | 'system' | 'customMetric';
type HookName = (typeof hookNames)[number];

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: CoreFunctionMetadata;
  readonly request: InvocationRequest;
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void;
}

interface InvocationModel {
  getArguments(): Promise<{ readonly context: object; readonly inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

/** What an app registered while its files were loaded. */
export interface Registrations {
  readonly functions: Map<
    string,
    { readonly metadata: CoreFunctionMetadata; readonly callback: FunctionCallback }
  >;
  readonly hooks: Readonly<Record<HookName, HookCallback[]>>;
  readonly problems: string[];
  /** Refuses further registrations, as the real worker does. */
  isLocked: boolean;
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void;
}

const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;

let current: Registrations | undefined;
let programmingModel: ProgrammingModel | undefined;

export function createRegistrations(log: Registrations['log']): Registrations {
  const hooks = { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] };
  return { functions: new Map(), hooks, problems: [], isLocked: false, log };
}

/** Sets the app that later registrations of the SDK belong to. */
export function directRegistrationsTo(registrations: Registrations): void {
  current = registrations;
}

export function getProgrammingModel(): ProgrammingModel | undefined {
  return programmingModel;
}

class Disposable {
  readonly #dispose: () => void;

  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }

  static from(...disposables: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => disposables.forEach((disposable) => disposable.dispose()));
  }

  dispose(): void {
    this.#dispose();
  }
}

function registering(what: string): Registrations {
  if (!current) throw new Error(`${what} was registered before the host loaded an app.`);
  if (current.isLocked) throw new Error(`${what} can only be registered during app startup.`);
  return current;
}

const coreApi = {
  version: '3.10.1',
  hostVersion: '4.1036.1',
  registerFunction(metadata: CoreFunctionMetadata, callback: FunctionCallback): Disposable {
    const { functions, problems } = registering(`Function "${metadata.name}"`);
    // The real worker keys functions by a hash of their name: a second registration silently replaces the first.
    if (functions.has(metadata.name))
      problems.push(`two functions are registered as "${metadata.name}"; names must be unique`);
    functions.set(metadata.name, { metadata, callback });
    return new Disposable(() => functions.delete(metadata.name));
  },
  setProgrammingModel(model: ProgrammingModel): void {
    programmingModel = model;
  },
  getProgrammingModel,
  registerHook(name: string, callback: HookCallback): Disposable {
    const known = hookNames.find((hookName) => hookName === name);
    if (!known) throw new RangeError(`Unrecognized hook "${name}"`);
    const hooks = registering(`Hook "${name}"`).hooks[known];
    hooks.push(callback);
    return new Disposable(() => hooks.splice(hooks.indexOf(callback), 1));
  },
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void {
    current?.log(level, category, message);
  },
  Disposable,
};

let isInstalled = false;

/** Makes `require('@azure/functions-core')` return the core API, as the real worker does. */
export function installCoreApi(): void {
  if (isInstalled) return;
  isInstalled = true;
  const require = Reflect.get(Module.prototype, 'require') as (id: string) => unknown;
  const intercepted = new Proxy(require, {
    apply: (target, self, args: [string]) =>
      args[0] === '@azure/functions-core' ? coreApi : Reflect.apply(target, self, args),
  });
  Reflect.set(Module.prototype, 'require', intercepted);
}
