import type { Server } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../shared/core/clock.ts';
import type { Ids } from '../shared/core/ids.ts';
import type { Logger } from '../shared/core/logger.ts';
import type { SqliteQueue } from '../shared/adapters/embedded/sqlite-queue.ts';
import type { HostEndpoints } from './http/host-endpoints.ts';
import type { HostJson } from './settings/host-json.ts';
import type { HostKeys } from './http/keys.ts';
import type { AppSettings } from './settings/app-settings.ts';
import type { FunctionEntry, NamedBinding } from './worker/function-table.ts';
import type { InvocationRequest, TypedData } from './worker/typed-data.ts';

/** What extensions get from the host. */
export interface HostContext {
  readonly hostJson: HostJson;
  readonly settings: AppSettings;
  readonly capabilities: Readonly<Record<string, string>>;
  /** The worker's HTTP server, when the app streams and the worker is in this process. */
  readonly workerServer: Server | undefined;
  readonly functions: readonly FunctionEntry[];
  readonly db: DatabaseSync;
  readonly queue: SqliteQueue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly keys: HostKeys;
  /** Extensions mount their webhooks here. */
  readonly endpoints: HostEndpoints;
  readonly tuning: HostTuning;
  /** The root URL of the running host. @throws before the HTTP extension has started */
  readonly baseUrl: () => string;
  readonly dispatch: Dispatch;
}

export interface HostTuning {
  /** 0 takes a free port. */
  readonly port: number;
  /** The time an HTTP function has to begin its answer. Azure's load balancer times out after 230 s. */
  readonly responseTimeoutMs: number;
  readonly blobPollMs: number;
}

/** Calls a function and writes its extra outputs. @throws the function's error, or that of an output */
export type Dispatch = (fn: FunctionEntry, call: FunctionCall) => Promise<TypedData | null | undefined>;

export interface FunctionCall {
  readonly trigger: TypedData;
  readonly metadata: Readonly<Record<string, TypedData>>;
  readonly retryContext?: InvocationRequest['retryContext'];
  /** Default: a new UUID. */
  readonly invocationId?: string;
  /** Default: host.json's functionTimeout. */
  readonly timeoutMs?: number;
}

/**
 * One emulated resource: the triggers that it listens for, and the input and output bindings that it serves. Only
 * `extensions.ts` knows them all.
 */
export interface HostExtension {
  readonly name: string;
  readonly triggerTypes: readonly string[];
  readonly inputTypes?: readonly string[];
  readonly outputTypes?: readonly string[];
  /** Lists the faults of a function's bindings before anything starts. */
  check?(fn: FunctionEntry, settings: AppSettings): readonly string[];
  /** Prepares without calling functions yet. `functions` are those with one of `triggerTypes`. */
  start(context: HostContext, functions: readonly FunctionEntry[]): Promise<RunningExtension>;
}

export interface RunningExtension {
  /** Begins to call functions. */
  begin?(): void | Promise<void>;
  /** Accepts no more work and waits for running calls. */
  stop(): Promise<void>;
  readInput?(binding: NamedBinding): TypedData;
  writeOutput?(binding: NamedBinding, value: TypedData, call: OutputCall): Promise<void>;
}

export interface OutputCall {
  readonly fn: FunctionEntry;
  readonly invocationId: string;
  /** Values for `{name}` in the binding's paths. */
  readonly bindingData: Readonly<Record<string, string>>;
}
