import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError } from '../../shared/core/errors.ts';
import {
  createRegistrations,
  directRegistrationsTo,
  getProgrammingModel,
  installCoreApi,
  type ProgrammingModel,
  type Registrations,
} from './core-api.ts';
import { takeServer, watchServers } from './server.ts';

export interface LoadedApp {
  readonly appDir: string;
  readonly registrations: Registrations;
  readonly model: ProgrammingModel;
  readonly capabilities: Readonly<Record<string, string>>;
  /** The HTTP server of an app with `enableHttpStream`, when it is in this process. It does not listen. */
  readonly server?: Server | undefined;
  /** Shared by every hook, as `context.appHookData` is. */
  readonly appHookData: Record<string, unknown>;
}

/** The capabilities of Microsoft's Node worker, to which the programming model adds its own. */
const workerCapabilities = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
};

/** Node loads a module only once, so a second start in the same process uses the registrations of the first. */
const registered = new Map<string, Promise<Registrations>>();
const loaded = new Map<string, Promise<LoadedApp>>();

/**
 * Loads a built app as the real worker does: the files that package.json `main` globs, by name, then the appStart
 * hooks, then the capabilities. Then it locks registration.
 *
 * @throws AppError INVALID_ARGUMENT with the name of a file that cannot be loaded, or when the glob matches none (the
 *   real worker only warns and starts without functions); errors of appStart hooks
 */
export function loadApp(appDir: string, log: Registrations['log']): Promise<LoadedApp> {
  return once(loaded, appDir, async (directory) => {
    const registrations = await registerFunctions(directory, log);
    const model = getProgrammingModel();
    if (!model) throw new AppError('INTERNAL', 'The app registered functions without a programming model.');
    const appHookData: Record<string, unknown> = {};
    for (const hook of registrations.hooks.appStart)
      await hook({ hookData: {}, appHookData, functionAppDirectory: directory });
    const { result, servers } = await watchServers(async () =>
      model.getCapabilities?.({ ...workerCapabilities }),
    );
    const capabilities: LoadedApp['capabilities'] = result ?? workerCapabilities;
    const server = takeServer(servers, capabilities['HttpUri']);
    registrations.isLocked = true;
    return { appDir: directory, registrations, model, capabilities, server, appHookData };
  });
}

/** The first half of `loadApp`: loads the files and starts nothing. */
export function registerFunctions(appDir: string, log: Registrations['log']): Promise<Registrations> {
  return once(registered, appDir, async (directory) => {
    const files = findEntryPoints(directory);
    installCoreApi();
    const registrations = createRegistrations(log);
    directRegistrationsTo(registrations);
    for (const file of files) {
      try {
        await import(pathToFileURL(join(directory, file)).href);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new AppError('INVALID_ARGUMENT', `Loading ${file} failed: ${reason}`, { file }, error);
      }
    }
    if (registrations.functions.size === 0)
      throw new AppError('INVALID_ARGUMENT', `The app in ${directory} registers no functions.`, { files });
    return registrations;
  });
}

/** Runs at most one attempt per folder and caches it until it fails. */
function once<T>(
  done: Map<string, Promise<T>>,
  appDir: string,
  load: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = existsSync(appDir) ? realpathSync(appDir) : appDir;
  let result = done.get(directory);
  if (!result) {
    result = load(directory);
    done.set(directory, result);
    result.catch(() => done.delete(directory));
  }
  return result;
}

/** Lists the files that `main` globs, relative to the app's folder, by name. */
export function findEntryPoints(appDir: string): readonly string[] {
  const packageFile = join(appDir, 'package.json');
  if (!existsSync(packageFile))
    throw new AppError('INVALID_ARGUMENT', `${appDir} has no Functions app: package.json is missing.`);
  const { main } = JSON.parse(readFileSync(packageFile, 'utf8')) as { main?: string };
  if (!main)
    throw new AppError(
      'INVALID_ARGUMENT',
      `${packageFile} has no "main", which tells the worker where the functions are.`,
    );
  const files = globSync(main, { cwd: appDir }).sort();
  if (files.length === 0)
    throw new AppError(
      'INVALID_ARGUMENT',
      `"main" of ${packageFile} (${main}) matches no file. Run "npm run build".`,
    );
  return files;
}
