import { AppError } from './errors.ts';
import type { Fault } from './faults.ts';

/** The configuration, read from environment variables (app settings in Azure). */
export interface Config {
  readonly metadata: MetadataConfig;
  readonly blobs: BlobConfig;
  readonly queue: QueueConfig;
  /** Whether clients get signed URLs of the storage account; false where they cannot reach it. */
  readonly artifactUrls: boolean;
  /** Days until deleted objects are purged; until then they can be restored. */
  readonly trashDays: number;
  /** Days that a superseded dataset version without tags, pins or references stays readable. */
  readonly datasetDays: number;
  readonly auth: 'off' | 'appService';
  readonly limits: Limits;
  readonly webhooks: WebhookConfig;
  /** Stamped into every run and model version; not sticky to a slot. */
  readonly build: Build;
}

export type MetadataConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'cosmos'; readonly endpoint: string; readonly database: string };

export type BlobConfig =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly serviceUri: string };

export type QueueConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'serviceBus'; readonly fullyQualifiedNamespace: string };

export interface Limits {
  readonly landingFileBytes: number;
  readonly trainingThreads: number;
  readonly trainingMemoryMb: number;
  readonly scoreRows: number;
  readonly sessionCacheBytes: number;
  /** The memory of a dataset query. */
  readonly queryMemoryMb: number;
  readonly querySeconds: number;
  /** The size of the local cache of dataset files. */
  readonly dataCacheBytes: number;
  /** A RUNNING run without writes for this long is marked KILLED. */
  readonly runSilenceMinutes: number;
}

export interface WebhookConfig {
  /** Keys of 32 bytes that encrypt webhook secrets, newest first. Without a key, webhooks with a secret are refused. */
  readonly keys: readonly Uint8Array[];
  /** `public` is HTTPS to public addresses; `any` adds HTTP and private addresses. */
  readonly targets: 'public' | 'any';
  readonly timeoutMs: number;
  readonly attempts: number;
}

export interface Build {
  readonly version: string;
  readonly commit: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration and reports all faults at once.
 *
 * @throws INVALID_ARGUMENT with `details.faults`, each with the setting and the remedy
 */
export function loadConfig(env: Env, build: Build): Config {
  const faults: Fault[] = [];
  const config: Config = {
    metadata: readMetadata(env, faults),
    blobs: readBlobs(env, faults),
    queue: readQueue(env, faults),
    artifactUrls: readSwitch(env, faults, 'SLIPWAY_ARTIFACT_URLS', true),
    trashDays: readInteger(env, faults, 'SLIPWAY_TRASH_DAYS', 30, 0, 3_650),
    datasetDays: readInteger(env, faults, 'SLIPWAY_DATASET_DAYS', 30, 0, 36_500),
    auth: readAuth(env, faults),
    limits: {
      landingFileBytes: readInteger(env, faults, 'SLIPWAY_LANDING_FILE_BYTES', 5 * 2 ** 30, 1, 2 ** 40),
      trainingThreads: readInteger(env, faults, 'SLIPWAY_TRAINING_THREADS', 2, 1, 64),
      trainingMemoryMb: readInteger(env, faults, 'SLIPWAY_TRAINING_MEMORY_MB', 1024, 128, 262_144),
      scoreRows: readInteger(env, faults, 'SLIPWAY_SCORE_ROWS', 10_000, 1, 1_000_000),
      sessionCacheBytes: readInteger(env, faults, 'SLIPWAY_SESSION_CACHE_BYTES', 256 * 2 ** 20, 1, 2 ** 40),
      queryMemoryMb: readInteger(env, faults, 'SLIPWAY_QUERY_MEMORY_MB', 512, 64, 262_144),
      querySeconds: readInteger(env, faults, 'SLIPWAY_QUERY_SECONDS', 30, 1, 600),
      dataCacheBytes: readInteger(env, faults, 'SLIPWAY_DATA_CACHE_BYTES', 2 * 2 ** 30, 0, 2 ** 40),
      runSilenceMinutes: readInteger(env, faults, 'SLIPWAY_RUN_SILENCE_MINUTES', 1_440, 1, 525_600),
    },
    webhooks: {
      keys: readKeys(env, faults, 'SLIPWAY_WEBHOOK_KEYS'),
      targets: readTargets(env, faults),
      timeoutMs: readInteger(env, faults, 'SLIPWAY_WEBHOOK_TIMEOUT_MS', 15_000, 100, 60_000),
      attempts: readInteger(env, faults, 'SLIPWAY_WEBHOOK_ATTEMPTS', 8, 1, 20),
    },
    build,
  };
  if (faults.length > 0) {
    const list = faults.map((fault) => `  ${fault.at}: ${fault.message}`).join('\n');
    throw new AppError('INVALID_ARGUMENT', `Invalid configuration:\n${list}`, {
      faults,
    });
  }
  return config;
}

function readMetadata(env: Env, faults: Fault[]): MetadataConfig {
  const file = env['SLIPWAY_METADATA_FILE'];
  const endpoint = env['COSMOS_ENDPOINT'];
  checkOneOf(faults, 'SLIPWAY_METADATA_FILE', file, 'COSMOS_ENDPOINT', endpoint);
  if (endpoint === undefined) return { kind: 'sqlite', file: file ?? '' };
  checkUrl(faults, 'COSMOS_ENDPOINT', endpoint);
  return { kind: 'cosmos', endpoint, database: env['COSMOS_DATABASE'] ?? 'slipway' };
}

function readBlobs(env: Env, faults: Fault[]): BlobConfig {
  const connectionString = env['AzureWebJobsStorage'];
  const account = env['AzureWebJobsStorage__accountName'];
  const serviceUri =
    env['AzureWebJobsStorage__blobServiceUri'] ?? (account && `https://${account}.blob.core.windows.net`);
  checkOneOf(
    faults,
    'AzureWebJobsStorage',
    connectionString,
    'AzureWebJobsStorage__blobServiceUri',
    serviceUri,
  );
  if (serviceUri === undefined) return { kind: 'connectionString', connectionString: connectionString ?? '' };
  checkUrl(faults, 'AzureWebJobsStorage__blobServiceUri', serviceUri);
  return { kind: 'identity', serviceUri };
}

/**
 * The URL of the storage account's Blob service, without a trailing slash.
 *
 * @example
 * findAccountUrl({ kind: 'connectionString', connectionString: 'AccountName=a;EndpointSuffix=core.windows.net' }) // 'https://a.blob.core.windows.net'
 */
export function findAccountUrl(blobs: BlobConfig): string {
  if (blobs.kind === 'identity') return blobs.serviceUri.replace(/\/+$/, '');
  const parts = new Map(
    blobs.connectionString.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const { protocol, account, suffix } = {
    protocol: parts.get('DefaultEndpointsProtocol') ?? 'https',
    account: parts.get('AccountName') ?? '',
    suffix: parts.get('EndpointSuffix') ?? 'core.windows.net',
  };
  return (parts.get('BlobEndpoint') ?? `${protocol}://${account}.blob.${suffix}`).replace(/\/+$/, '');
}

function readQueue(env: Env, faults: Fault[]): QueueConfig {
  const file = env['SLIPWAY_QUEUE_FILE'];
  const namespace = env['ServiceBus__fullyQualifiedNamespace'];
  checkOneOf(faults, 'SLIPWAY_QUEUE_FILE', file, 'ServiceBus__fullyQualifiedNamespace', namespace);
  if (namespace === undefined) return { kind: 'sqlite', file: file ?? '' };
  if (!/^[a-z0-9][a-z0-9.-]*\.[a-z]+$/i.test(namespace)) {
    faults.push({
      at: 'ServiceBus__fullyQualifiedNamespace',
      message: 'must be a host name such as my-namespace.servicebus.windows.net, without a scheme',
    });
  }
  return { kind: 'serviceBus', fullyQualifiedNamespace: namespace };
}

/**
 * In Azure the app must not start without App Service authentication, which removes forged identity headers.
 */
function readAuth(env: Env, faults: Fault[]): Config['auth'] {
  const inAzure = env['WEBSITE_SITE_NAME'] !== undefined;
  const wanted = env['SLIPWAY_AUTH'] ?? 'app-service';
  if (wanted !== 'off' && wanted !== 'app-service') {
    faults.push({
      at: 'SLIPWAY_AUTH',
      message: `must be "off" or "app-service", not ${JSON.stringify(wanted)}`,
    });
  } else if (wanted === 'off' && inAzure) {
    faults.push({
      at: 'SLIPWAY_AUTH',
      message: 'cannot be "off" in Azure: remove the setting and enable App Service authentication',
    });
  } else if (wanted === 'app-service' && inAzure && env['WEBSITE_AUTH_ENABLED']?.toLowerCase() !== 'true') {
    faults.push({
      at: 'WEBSITE_AUTH_ENABLED',
      message:
        'App Service authentication is disabled, so callers could forge their roles: enable it for this app',
    });
  }
  return wanted === 'off' ? 'off' : 'appService';
}

/** Reads Base64 keys, separated by commas. Faults do not repeat the value, which is a secret. */
function readKeys(env: Env, faults: Fault[], name: string): readonly Uint8Array[] {
  const texts = (env[name] ?? '').split(',').map((text) => text.trim());
  const keys = texts.filter((text) => text !== '').map((text) => Buffer.from(text, 'base64'));
  if (keys.some((key) => key.length !== 32)) {
    faults.push({
      at: name,
      message: 'must be keys of 32 bytes in Base64, separated by commas (openssl rand -base64 32)',
    });
  }
  return keys;
}

function readTargets(env: Env, faults: Fault[]): WebhookConfig['targets'] {
  const wanted = env['SLIPWAY_WEBHOOK_TARGETS'] ?? 'public';
  if (wanted === 'public' || wanted === 'any') return wanted;
  faults.push({
    at: 'SLIPWAY_WEBHOOK_TARGETS',
    message: `must be "public" or "any", not ${JSON.stringify(wanted)}`,
  });
  return 'public';
}

function readSwitch(env: Env, faults: Fault[], name: string, fallback: boolean): boolean {
  const text = env[name] ?? '';
  if (text === '') return fallback;
  if (text !== 'on' && text !== 'off')
    faults.push({ at: name, message: `must be "on" or "off", not ${JSON.stringify(text)}` });
  return text === 'on';
}

function readInteger(
  env: Env,
  faults: Fault[],
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  faults.push({
    at: name,
    message: `must be an integer from ${min} to ${max}, not ${JSON.stringify(text)}`,
  });
  return fallback;
}

function checkOneOf(
  faults: Fault[],
  local: string,
  localValue: string | undefined,
  azure: string,
  azureValue: string | undefined,
): void {
  if (localValue === '') faults.push({ at: local, message: 'must not be empty' });
  if (localValue !== undefined && azureValue !== undefined) {
    faults.push({ at: local, message: `and ${azure} are both set: remove one` });
  }
  if (localValue === undefined && azureValue === undefined) {
    faults.push({ at: azure, message: `is missing: set it in Azure, or ${local} locally` });
  }
}

function checkUrl(faults: Fault[], at: string, value: string): void {
  if (!URL.canParse(value)) faults.push({ at, message: `must be a URL, not ${JSON.stringify(value)}` });
}
