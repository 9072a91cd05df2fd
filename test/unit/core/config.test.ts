import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../shared/core/config.ts';
import { isAppError } from '../../../shared/core/errors.ts';
import type { Fault } from '../../../shared/core/faults.ts';

const build = { version: '1.2.3', commit: 'abc' };
const local = {
  SLIPWAY_METADATA_FILE: 'metadata.db',
  SLIPWAY_QUEUE_FILE: 'host.db',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  SLIPWAY_AUTH: 'off',
};
const azure = {
  COSMOS_ENDPOINT: 'https://x.documents.azure.com',
  ServiceBus__fullyQualifiedNamespace: 'x.servicebus.windows.net',
  AzureWebJobsStorage__accountName: 'account',
  WEBSITE_SITE_NAME: 'x',
  WEBSITE_AUTH_ENABLED: 'True',
};

describe('a valid configuration', () => {
  test('local', () => {
    expect(loadConfig(local, build)).toMatchObject({
      metadata: { kind: 'sqlite', file: 'metadata.db' },
      queue: { kind: 'sqlite', file: 'host.db' },
      blobs: { kind: 'connectionString' },
      auth: 'off',
      artifactUrls: true,
      trashDays: 30,
      build,
    });
    const other = { ...local, SLIPWAY_ARTIFACT_URLS: 'off', SLIPWAY_TRASH_DAYS: '0' };
    expect(loadConfig(other, build)).toMatchObject({ artifactUrls: false, trashDays: 0 });
  });

  test('in Azure, by identity only', () => {
    expect(loadConfig(azure, build)).toMatchObject({
      metadata: { kind: 'cosmos', database: 'slipway' },
      queue: { kind: 'serviceBus' },
      blobs: { kind: 'identity', serviceUri: 'https://account.blob.core.windows.net' },
      auth: 'appService',
    });
  });
});

describe('an invalid configuration prevents the start', () => {
  test('which names every fault at once', () => {
    const faults = faultsOf({ SLIPWAY_AUTH: 'maybe', SLIPWAY_SCORE_ROWS: 'ten', COSMOS_ENDPOINT: 'nowhere' });
    expect(faults.map((fault) => fault.at).sort()).toEqual([
      'AzureWebJobsStorage__blobServiceUri',
      'COSMOS_ENDPOINT',
      'SLIPWAY_AUTH',
      'SLIPWAY_SCORE_ROWS',
      'ServiceBus__fullyQualifiedNamespace',
    ]);
  });

  test.each([
    ['two stores at once', { ...local, COSMOS_ENDPOINT: 'https://x' }, 'SLIPWAY_METADATA_FILE'],
    ['an invalid switch', { ...local, SLIPWAY_ARTIFACT_URLS: 'yes' }, 'SLIPWAY_ARTIFACT_URLS'],
    ['days that are not a number', { ...local, SLIPWAY_TRASH_DAYS: '-1' }, 'SLIPWAY_TRASH_DAYS'],
    ['an empty setting', { ...local, AzureWebJobsStorage: '' }, 'AzureWebJobsStorage'],
    [
      'a namespace with a scheme',
      { ...azure, ServiceBus__fullyQualifiedNamespace: 'sb://x' },
      'ServiceBus__fullyQualifiedNamespace',
    ],
    ['authentication off in Azure', { ...azure, SLIPWAY_AUTH: 'off' }, 'SLIPWAY_AUTH'],
    ['roles that could be forged', { ...azure, WEBSITE_AUTH_ENABLED: 'False' }, 'WEBSITE_AUTH_ENABLED'],
    ['a number out of range', { ...local, SLIPWAY_TRAINING_THREADS: '0' }, 'SLIPWAY_TRAINING_THREADS'],
    ['a malformed number', { ...local, SLIPWAY_TRAINING_THREADS: '1e1' }, 'SLIPWAY_TRAINING_THREADS'],
  ])('%s', (_, env, at) => {
    expect(faultsOf(env).map((fault) => fault.at)).toEqual([at]);
  });

  test('without showing the value of a secret', () => {
    const secret = 'AccountKey=c2VjcmV0';
    const error = errorOf({
      AzureWebJobsStorage: secret,
      AzureWebJobsStorage__accountName: 'a',
      SLIPWAY_AUTH: 'off',
    });
    expect(JSON.stringify([error.message, error.details])).not.toContain('c2VjcmV0');
  });
});

function errorOf(env: Record<string, string>) {
  try {
    loadConfig(env, build);
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function faultsOf(env: Record<string, string>): readonly Fault[] {
  return errorOf(env).details['faults'] as readonly Fault[];
}
