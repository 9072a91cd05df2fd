import { join } from 'node:path';
import { withTimeout } from '../shared/core/async/with-timeout.ts';
import { systemClock } from '../shared/core/clock.ts';
import { AppError } from '../shared/core/errors.ts';
import { systemIds } from '../shared/core/ids.ts';
import type { Logger } from '../shared/core/logger.ts';
import { openSqliteQueue } from '../shared/adapters/embedded/sqlite-queue.ts';
import { cleanDataDir, lockDataDir } from './data-dir.ts';
import { createDispatch, toLogLevel } from './dispatch.ts';
import { checkBindings, extensions } from './extensions.ts';
import type { HostContext, HostTuning, RunningExtension } from './host-context.ts';
import { readHostJson } from './settings/host-json.ts';
import { createHostEndpoints } from './http/host-endpoints.ts';
import type { RunningHttp } from './http/extension.ts';
import { openKeys, type HostKeys } from './http/keys.ts';
import type { AppSettings } from './settings/app-settings.ts';
import { openHostStore } from './store.ts';
import { buildFunctionTable, type FunctionEntry } from './worker/function-table.ts';
import { loadApp, type LoadedApp } from './worker/load.ts';

export interface HostOptions {
  /** The built app's folder: package.json, host.json and the files that `main` globs. */
  readonly appDir: string;
  /** Everything that the host stores. One host at a time. */
  readonly dataDir: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** App settings; they become environment variables, as in the real worker. */
  readonly settings: AppSettings;
  readonly log: Logger;
  /** Deletes earlier data first. */
  readonly clean?: boolean;
  readonly tuning?: Partial<Omit<HostTuning, 'port'>>;
}

export interface RunningHost {
  readonly url: string;
  readonly functions: readonly FunctionEntry[];
  readonly keys: HostKeys;
  readonly routePrefix: string;
  /** Accepts no more work, waits for running calls, runs the appTerminate hooks and closes the files. */
  stop(): Promise<void>;
}

/** Azure's load balancer times out after 230 s. */
export const defaultTuning = { responseTimeoutMs: 230_000, blobPollMs: 500 } as const;
const terminateHooksMs = 5000;

/**
 * Starts the local host on a built app as the real host would: load, check, listen, begin.
 *
 * @throws AppError INVALID_ARGUMENT for an app, a host.json or a binding that cannot be hosted, naming every fault;
 *   ALREADY_EXISTS when the port or the data folder is in use
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { appDir, dataDir, settings, log, clean = false } = options;
  const [clock, ids] = [systemClock, systemIds];
  const lock = lockDataDir(dataDir);
  const cleanups: (() => unknown)[] = [() => lock.release()];
  const stopAll = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    if (clean) cleanDataDir(dataDir);
    const hostJson = readHostJson(appDir, settings);
    Object.assign(process.env, settings);
    const app = await loadApp(appDir, (level, category, message) => {
      if (category === 'user' || level === 'warning' || level === 'error')
        log.log(toLogLevel(level), message);
    });
    cleanups.push(() => runTerminateHooks(app, log));
    const functions = buildFunctionTable(app.registrations);
    const problems = checkBindings(functions, settings);
    if (problems.length > 0)
      throw new AppError('INVALID_ARGUMENT', `The app cannot be hosted: ${problems.join('; ')}.`, {
        problems,
      });

    const db = openHostStore(join(dataDir, 'host.db'));
    cleanups.push(() => db.close());
    const queue = openSqliteQueue({ clock, ids }, { file: join(dataDir, 'host.db') });
    cleanups.push(() => queue.close());
    const keys = openKeys(join(dataDir, 'keys.json'));
    const inputs = new Map<string, RunningExtension>();
    const outputs = new Map<string, RunningExtension>();
    const { functionTimeoutMs } = hostJson;
    let url: string | undefined;
    const context: HostContext = {
      hostJson,
      settings,
      functions,
      db,
      queue,
      clock,
      ids,
      log,
      keys,
      capabilities: app.capabilities,
      workerServer: app.server,
      endpoints: createHostEndpoints(),
      tuning: { ...defaultTuning, ...options.tuning, port: options.port },
      baseUrl() {
        if (url === undefined) throw new Error('The host is not listening yet.');
        return url;
      },
      dispatch: createDispatch({ app, ids, log, inputs, outputs }, { functionTimeoutMs }),
    };

    const started: RunningExtension[] = [];
    for (const extension of extensions) {
      const own = functions.filter(
        ({ name, trigger }) => extension.triggerTypes.includes(trigger.type) && !isDisabled(name, settings),
      );
      const running = await extension.start(context, own);
      cleanups.push(() => running.stop());
      started.push(running);
      for (const type of extension.inputTypes ?? []) inputs.set(type, running);
      for (const type of extension.outputTypes ?? []) outputs.set(type, running);
      if (extension.name === 'http') url = (running as RunningHttp).url;
    }
    announceHostname(context.baseUrl());
    for (const running of started) await running.begin?.();
    return { url: context.baseUrl(), functions, keys, routePrefix: hostJson.routePrefix, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/**
 * Sets WEBSITE_HOSTNAME, as Azure and Core Tools do. Without it the Durable client rewrites every URL to
 * localhost:7071, the address of Core Tools.
 */
function announceHostname(url: string): void {
  process.env['WEBSITE_HOSTNAME'] = `localhost:${new URL(url).port}`;
}

/** Whether an app setting disables the function, as slots do; the real host does not load it either. */
function isDisabled(name: string, settings: AppSettings): boolean {
  const value = settings[`AzureWebJobs.${name}.Disabled`] ?? settings[`AzureWebJobs_${name}_Disabled`];
  return /^(true|1)$/i.test(value ?? '');
}

async function runTerminateHooks({ registrations, appHookData }: LoadedApp, log: Logger): Promise<void> {
  const run = async (): Promise<void> => {
    for (const hook of registrations.hooks.appTerminate) await hook({ hookData: {}, appHookData });
  };
  const toError = (timeoutMs: number) => new Error(`They did not end within ${timeoutMs} ms.`);
  try {
    await withTimeout({ timeoutMs: terminateHooksMs, toError }, run);
  } catch (error) {
    log.log('warn', 'The appTerminate hooks failed', { error: String(error) });
  }
}
