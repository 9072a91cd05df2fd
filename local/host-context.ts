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

/** What the host gives to each extension. */
export interface HostContext {
  readonly hostJson: HostJson;
  readonly settings: AppSettings;
  readonly capabilities: Readonly<Record<string, string>>;
  /** The worker's own HTTP server, where the app streams and the worker is in this process. */
  readonly workerServer: Server | undefined;
  readonly functions: readonly FunctionEntry[];
  readonly db: DatabaseSync;
  readonly queue: SqliteQueue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly keys: HostKeys;
  /** Where extensions mount their webhooks. */
  readonly endpoints: HostEndpoints;
  readonly tuning: HostTuning;
  /** The root URL of the running host. @throws before the HTTP extension has started */
  readonly baseUrl: () => string;
  readonly dispatch: Dispatch;
}

export interface HostTuning {
  /** 0 takes a free port. */
  readonly port: number;
  /** How long an HTTP function may take to begin its answer; Azure's load balancer gives up after 230 s. */
  readonly responseTimeoutMs: number;
  readonly blobPollMs: number;
}

/** Calls a function and writes its extra outputs. @throws what the function threw, or an output's failure */
export type Dispatch = (fn: FunctionEntry, call: FunctionCall) => Promise<TypedData | null | undefined>;

export interface FunctionCall {
  readonly trigger: TypedData;
  readonly metadata: Readonly<Record<string, TypedData>>;
  readonly retryContext?: InvocationRequest['retryContext'];
  /** Default: a new UUID. */
  readonly invocationId?: string;
  /** Default: host.json's functionTimeout. HTTP has a limit of its own. */
  readonly timeoutMs?: number;
}

/**
 * One emulated resource: which triggers it listens for, and which input and output bindings it serves. The registry
 * in `extensions.ts` is the only place that knows them all.
 */
export interface HostExtension {
  readonly name: string;
  readonly triggerTypes: readonly string[];
  readonly inputTypes?: readonly string[];
  readonly outputTypes?: readonly string[];
  /** What is wrong with a function's bindings, in words; found before anything starts. */
  check?(fn: FunctionEntry, settings: AppSettings): readonly string[];
  /** Gets ready without calling any function yet. `functions` are those with one of `triggerTypes`. */
  start(context: HostContext, functions: readonly FunctionEntry[]): Promise<RunningExtension>;
}

export interface RunningExtension {
  /** From here on functions may be called. */
  begin?(): void | Promise<void>;
  /** Takes no more work, then waits for what is under way. */
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
