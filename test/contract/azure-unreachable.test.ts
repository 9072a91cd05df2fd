import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { type App, createApp } from '../../shared/app.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { createCosmosDocuments } from '../../shared/adapters/azure/cosmos-documents.ts';
import { loadConfig } from '../../shared/core/config.ts';
import { connect } from '../../shared/connect.ts';
import { isAppError, retryIntent } from '../../shared/core/errors.ts';

/**
 * The app composed with Azure settings only, while no Azure service answers: names below `.invalid` never resolve
 * (RFC 2606), and a local identity endpoint refuses every request.
 */
const settings = {
  COSMOS_ENDPOINT: 'https://cosmos.slipway.invalid',
  ServiceBus__fullyQualifiedNamespace: 'bus.slipway.invalid',
  AzureWebJobsStorage__blobServiceUri: 'https://blobs.slipway.invalid',
  WEBSITE_SITE_NAME: 'slipway',
  WEBSITE_AUTH_ENABLED: 'True',
};
const clientId = '11111111-2222-3333-4444-555555555555';
const secret = 'only-the-endpoint-knows';

let identity: Server;
const asked: IncomingMessage[] = [];
const unhandled: unknown[] = [];
const noteUnhandled = (error: unknown) => void unhandled.push(error);
let app: App;
let requestsAtStart: number;

beforeAll(async () => {
  process.on('unhandledRejection', noteUnhandled);
  identity = createServer((request, response) => {
    asked.push(request);
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ statusCode: 400, message: `no identity, and ${secret}` }));
  });
  identity.listen(0, '127.0.0.1');
  await once(identity, 'listening');
  Object.assign(process.env, {
    IDENTITY_ENDPOINT: `http://127.0.0.1:${(identity.address() as AddressInfo).port}/msi/token`,
    IDENTITY_HEADER: secret,
    AZURE_CLIENT_ID: clientId,
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
  });
  const config = loadConfig(settings, { version: '1.0.0', commit: 'test' });
  app = createApp(config, await connect(config));
  requestsAtStart = asked.length;
});

afterAll(async () => {
  identity.closeAllConnections();
  identity.close();
  await once(identity, 'close');
  process.off('unhandledRejection', noteUnhandled);
});

describe('the app in Azure, without a reachable service', () => {
  test('is composed without a request', async () => {
    await app.prepare();
    expect([requestsAtStart, asked.length]).toEqual([0, 0]);
  });

  test('reports each dependency as down without revealing a secret', async () => {
    const health = await app.checkHealth();
    expect(Object.keys(health).toSorted()).toEqual(['blobs', 'metadata', 'queue']);
    for (const dependency of Object.values(health)) {
      const expected = { reason: expect.any(String) as string, latencyMs: expect.any(Number) as number };
      expect(dependency).toMatchObject({ status: 'down', ...expected });
    }
    expect(JSON.stringify(health)).not.toMatch(new RegExp(`${secret}|${clientId}|invalid|127\\.0\\.0\\.1`));
  });

  test('requests tokens of the user-assigned identity, for the right audiences', () => {
    const urls = asked.map(({ url }) => new URL(url!, 'http://identity'));
    const resources = new Set(urls.map(({ searchParams }) => searchParams.get('resource')));
    expect(resources).toEqual(new Set(['https://cosmos.slipway.invalid', 'https://storage.azure.com']));
    expect(new Set(urls.map(({ searchParams }) => searchParams.get('client_id')))).toEqual(
      new Set([clientId]),
    );
    expect(new Set(asked.map(({ headers }) => headers['x-identity-header']))).toEqual(new Set([secret]));
  });

  const landing = { container: 'landing', name: 'flights/a.parquet' };
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'a document': () => app.datasets.catalog.get('flights'),
    'a listing': () => app.pipelines.runs.list({ limit: 10 }),
    'a score': () => app.scoring.score({ model: 'late-flights', alias: 'production' }, { rows: [{}] }),
    'a blob': () => app.datasets.landing.onLanding(landing, { log: () => {} }),
  };
  test.each(Object.keys(calls))('%s is UNAVAILABLE in bounded time, never missing', async (name) => {
    const error = await calls[name]!().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!isAppError(error)) throw new Error('no failure, or not one of the ports', { cause: error });
    // The identity refuses, or has not answered at the timeout.
    expect(['UNAVAILABLE', 'TIMEOUT']).toContain(error.code);
    expect(retryIntent(error)).toBe('later');
    expect(error.message).not.toMatch(new RegExp(`${secret}|${clientId}`));
  });

  test('leaves no unhandled rejection', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});

describe('an identity that never answers', () => {
  const credential = { getToken: () => new Promise<never>(() => {}) };
  const timeoutMs = 150;
  const blobs = createBlobStore(
    { clock: systemClock, ids: systemIds },
    { serviceUri: 'https://blobs.slipway.invalid', credential, timeoutMs },
  );
  const documents = createCosmosDocuments({
    endpoint: 'https://cosmos.slipway.invalid',
    database: 'slipway',
    credential,
    timeoutMs,
  });
  afterAll(() => documents.close());

  const blob = { container: 'landing', name: 'a' };
  const key = { container: 'datasets', partition: 'p', id: 'a' };
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'blobs: put': () => blobs.put(blob, 'a', { ifAbsent: true }),
    'blobs: open': () => blobs.open(blob),
    'blobs: head': () => blobs.head(blob),
    'blobs: list': () => blobs.list('landing', { limit: 1 }),
    'blobs: lease': () => blobs.acquireLease(blob, 15),
    'blobs: ping': () => blobs.ping(),
    'documents: get': () => documents.get(key),
    'documents: create': () => documents.create(key, {}),
    'documents: list': () => documents.list({ container: 'datasets', limit: 1 }),
    'documents: ping': () => documents.ping(),
  };
  test.each(Object.keys(calls))('%s is TIMEOUT', async (name) => {
    await expect(calls[name]!()).rejects.toSatisfy(
      (error) => isAppError(error, 'TIMEOUT') && retryIntent(error) === 'later',
    );
  });
});
