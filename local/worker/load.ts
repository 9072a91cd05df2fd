import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
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

export interface LoadedApp {
  readonly appDir: string;
  readonly registrations: Registrations;
  readonly model: ProgrammingModel;
  readonly capabilities: Readonly<Record<string, string>>;
  /** Shared by every hook, as `context.appHookData` is. */
  readonly appHookData: Record<string, unknown>;
}

/** What Microsoft's Node worker announces before the programming model adds its own. */
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

/** Node never loads a module twice, so a second start in the same process uses what the first one registered. */
const loadedApps = new Map<string, Promise<LoadedApp>>();

/**
 * Loads a built app as the real worker does: the files that package.json `main` globs, in name order, then the
 * appStart hooks, then the capabilities; registration is locked after that.
 *
 * @throws AppError INVALID_ARGUMENT with the file's name when one cannot be loaded, or the glob finds none (the
 * real worker only warns there and starts with no functions).
 */
export function loadApp(appDir: string, log: Registrations['log']): Promise<LoadedApp> {
  const directory = existsSync(appDir) ? realpathSync(appDir) : appDir;
  let app = loadedApps.get(directory);
  if (!app) {
    app = loadOnce(directory, log);
    loadedApps.set(directory, app);
    app.catch(() => loadedApps.delete(directory));
  }
  return app;
}

async function loadOnce(appDir: string, log: Registrations['log']): Promise<LoadedApp> {
  const files = findEntryPoints(appDir);
  installCoreApi();
  const registrations = createRegistrations(log);
  directRegistrationsTo(registrations);
  for (const file of files) {
    try {
      await import(pathToFileURL(join(appDir, file)).href);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppError('INVALID_ARGUMENT', `${file} could not be loaded: ${reason}`, { file }, error);
    }
  }
  const model = getProgrammingModel();
  if (!model || registrations.functions.size === 0)
    throw new AppError('INVALID_ARGUMENT', `The app in ${appDir} registers no functions.`, { files });

  const appHookData: Record<string, unknown> = {};
  for (const hook of registrations.hooks.appStart)
    await hook({ hookData: {}, appHookData, functionAppDirectory: appDir });
  const capabilities = (await model.getCapabilities?.({ ...workerCapabilities })) ?? workerCapabilities;
  registrations.isLocked = true;
  return { appDir, registrations, model, capabilities, appHookData };
}

/** The files that `main` globs, relative to the app's folder, in name order. */
export function findEntryPoints(appDir: string): readonly string[] {
  const packageFile = join(appDir, 'package.json');
  if (!existsSync(packageFile))
    throw new AppError(
      'INVALID_ARGUMENT',
      `There is no Functions app in ${appDir}: package.json is missing.`,
    );
  const { main } = JSON.parse(readFileSync(packageFile, 'utf8')) as { main?: string };
  if (!main)
    throw new AppError(
      'INVALID_ARGUMENT',
      `${packageFile} has no "main": the worker finds functions through it.`,
    );
  const files = globSync(main, { cwd: appDir }).sort();
  if (files.length === 0)
    throw new AppError(
      'INVALID_ARGUMENT',
      `"main" of ${packageFile} (${main}) matches no file. Run "npm run build".`,
    );
  return files;
}
