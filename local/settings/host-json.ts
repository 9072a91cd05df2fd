import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/core/errors.ts';
import { parseTimeSpan } from './time-span.ts';

/** The validated parts of host.json that the local host uses, with the real host's defaults. */
export interface HostJson {
  readonly routePrefix: string;
  /** The time limit of calls other than HTTP. */
  readonly functionTimeoutMs: number;
  readonly blobs: { readonly maxDegreeOfParallelism: number; readonly poisonBlobThreshold: number };
  readonly serviceBus: {
    readonly maxConcurrentCalls: number;
    readonly maxMessageBatchSize: number;
    readonly autoCompleteMessages: boolean;
    readonly maxAutoLockRenewalMs: number;
  };
  /** `extensions.durableTask` with %SETTING% replaced. */
  readonly durableTask: JsonSection;
}

type JsonSection = Readonly<Record<string, unknown>>;

/** The keys of host.json version 2.0 that the real host knows. @see https://aka.ms/functions-hostjson */
const knownKeys =
  words(`$schema version functionTimeout retry functions watchDirectories watchFiles singleton logging
  aggregator healthMonitor extensionBundle managedDependency customHandler extensions concurrency telemetryMode`);

const knownExtensions: Readonly<Record<string, readonly string[]>> = {
  http: words(
    `routePrefix maxOutstandingRequests maxConcurrentRequests dynamicThrottlesEnabled hsts customHeaders`,
  ),
  blobs: words(`maxDegreeOfParallelism poisonBlobThreshold`),
  queues: words(
    `maxPollingInterval visibilityTimeout batchSize maxDequeueCount newBatchThreshold messageEncoding`,
  ),
  serviceBus: words(`clientRetryOptions prefetchCount transportType webProxy autoCompleteMessages
    maxAutoLockRenewalDuration maxConcurrentCalls maxConcurrentCallsPerSession maxConcurrentSessions
    maxMessageBatchSize minMessageBatchSize maxBatchWaitTime sessionIdleTimeout enableCrossEntityTransactions`),
  durableTask:
    words(`hubName defaultVersion versionMatchStrategy versionFailureStrategy storageProvider tracing
    notifications maxConcurrentActivityFunctions maxConcurrentOrchestratorFunctions maxConcurrentEntityFunctions
    extendedSessionsEnabled extendedSessionIdleTimeoutInSeconds maxEntityOperationBatchSize maxOrchestrationActions
    useAppLease useGracefulShutdown overridableExistingInstanceStates localRpcEndpointEnabled
    storeInputsInOrchestrationHistory entityMessageReorderWindowInMinutes httpSettings
    rollbackEntityOperationsOnExceptions`),
};

const minimumBundle = [4, 30, 0] as const;

/**
 * Reads host.json of an app's folder and replaces `%SETTING%` in every string from `settings`.
 *
 * @throws AppError INVALID_ARGUMENT naming every fault. Unknown keys are faults: the real host ignores them, so that a
 *   misspelt limit has no effect.
 */
export function readHostJson(appDir: string, settings: Readonly<Record<string, string>>): HostJson {
  const file = join(appDir, 'host.json');
  if (!existsSync(file)) throw new AppError('INVALID_ARGUMENT', `${appDir} has no host.json.`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', `${file} is not JSON: ${(error as Error).message}`, {}, error);
  }
  const problems: string[] = [];
  const root = resolveSettings(section(parsed), settings, problems);
  checkKeys(root, problems);
  const extensions = section(root['extensions']);
  const [http, blobs, serviceBus] = ['http', 'blobs', 'serviceBus'].map((name) => section(extensions[name]));

  const numberOf = (of: JsonSection | undefined, path: string, key: string, fallback: number): number => {
    const value = of?.[key] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    problems.push(`${path}.${key} must be a positive integer`);
    return fallback;
  };
  const durationOf = (value: unknown, path: string, fallbackMs: number): number => {
    if (value === undefined) return fallbackMs;
    const durationMs =
      value === '-1'
        ? Number.POSITIVE_INFINITY
        : typeof value === 'string'
          ? parseTimeSpan(value)
          : undefined;
    if (durationMs === undefined || durationMs <= 0)
      problems.push(`${path} must be a TimeSpan above zero ("hh:mm:ss")`);
    return durationMs ?? fallbackMs;
  };
  const hostJson: HostJson = {
    routePrefix: textOf(http?.['routePrefix'], 'api').replace(/^\/+|\/+$/g, ''),
    functionTimeoutMs: durationOf(root['functionTimeout'], 'functionTimeout', 30 * 60_000),
    blobs: {
      maxDegreeOfParallelism: numberOf(blobs, 'extensions.blobs', 'maxDegreeOfParallelism', 8),
      poisonBlobThreshold: numberOf(blobs, 'extensions.blobs', 'poisonBlobThreshold', 5),
    },
    serviceBus: {
      maxConcurrentCalls: numberOf(serviceBus, 'extensions.serviceBus', 'maxConcurrentCalls', 16),
      maxMessageBatchSize: numberOf(serviceBus, 'extensions.serviceBus', 'maxMessageBatchSize', 1000),
      autoCompleteMessages: serviceBus?.['autoCompleteMessages'] !== false,
      maxAutoLockRenewalMs: durationOf(
        serviceBus?.['maxAutoLockRenewalDuration'],
        'extensions.serviceBus.maxAutoLockRenewalDuration',
        5 * 60_000,
      ),
    },
    durableTask: section(extensions['durableTask']),
  };
  if (problems.length > 0)
    throw new AppError('INVALID_ARGUMENT', `${file} is invalid: ${problems.join('; ')}.`, { problems });
  return hostJson;
}

function checkKeys(root: JsonSection, problems: string[]): void {
  if (root['version'] !== '2.0') problems.push('"version" must be "2.0"');
  for (const key of Object.keys(root)) if (!knownKeys.includes(key)) problems.push(`unknown key "${key}"`);
  for (const [name, settings] of Object.entries(section(root['extensions']))) {
    const keys = knownExtensions[name];
    if (!keys) problems.push(`unknown extension "extensions.${name}"`);
    for (const key of keys ? Object.keys(section(settings)) : [])
      if (!keys?.includes(key)) problems.push(`unknown key "extensions.${name}.${key}"`);
  }
  const bundle = section(root['extensionBundle']);
  if (bundle['id'] !== 'Microsoft.Azure.Functions.ExtensionBundle')
    problems.push('"extensionBundle.id" must be "Microsoft.Azure.Functions.ExtensionBundle"');
  const range = /^\[(\d+)\.(\d+)\.(\d+), *\d+\.\d+\.\d+\)$/.exec(String(bundle['version']));
  const lower = range?.slice(1).map(Number) ?? [0, 0, 0];
  if (compareVersions(lower, minimumBundle) < 0)
    problems.push('"extensionBundle.version" must be a range from 4.30.0, such as "[4.30.0, 5.0.0)"');
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (const [index, part] of a.entries()) if (part !== b[index]) return part - (b[index] ?? 0);
  return 0;
}

/** A setting that must be a string; any other value counts as absent. */
export function textOf(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}

function section(value: unknown): JsonSection {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonSection) : {};
}

function resolveSettings(
  root: JsonSection,
  settings: Readonly<Record<string, string>>,
  problems: string[],
): JsonSection {
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return replaceSettings(value, settings, problems);
    if (Array.isArray(value)) return value.map(resolve);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member)]));
  };
  return resolve(root) as JsonSection;
}

/** Replaces every `%NAME%` with that app setting; missing ones are added to `problems`. */
export function replaceSettings(
  text: string,
  settings: Readonly<Record<string, string>>,
  problems: string[],
): string {
  return text.replace(/%([^%\s]+)%/g, (whole, name: string) => {
    const value = settings[name];
    if (value === undefined) problems.push(`%${name}%: the app setting "${name}" is not set`);
    return value ?? whole;
  });
}
