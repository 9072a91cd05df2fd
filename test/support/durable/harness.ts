import { callRegistered, registeredDurableFunctions } from './core.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import type { InvocationContext } from '@azure/functions';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { getClient, type DurableClient } from 'durable-functions';
import { createDurableExtension, type DurableExtension } from '../../../local/durable/engine.ts';
import { systemClock, type Clock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import type { LogFields, LogLevel } from '../../../shared/core/logger.ts';
import { until } from '../until.ts';

export const systemKey = 'test key/1';

interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: LogFields;
}

export interface DurableHarness {
  readonly extension: DurableExtension;
  /** The SDK's own client, over HTTP. */
  readonly client: DurableClient;
  readonly db: DatabaseSync;
  readonly origin: string;
  readonly logs: readonly LogEntry[];
  /** Stops the extension and its server, and deletes its folder. */
  dispose(): Promise<void>;
}

export interface HarnessOptions {
  readonly verifyReplay?: boolean;
  readonly clock?: Clock;
  readonly settings?: unknown;
  /** A database file that survives the harness. */
  readonly file?: string;
  readonly invoke?: (name: string, input: string) => Promise<unknown>;
  /** Registered functions that this start excludes. */
  readonly without?: readonly string[];
}

async function openDatabase(file: string): Promise<DatabaseSync> {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  return db;
}

/** Starts the extension on its own file and HTTP server, with all functions registered in durable-functions. */
export async function startHarness(options: HarnessOptions = {}): Promise<DurableHarness> {
  const folder = options.file === undefined ? mkdtempSync(join(tmpdir(), 'durable-')) : undefined;
  const db = await openDatabase(options.file ?? join(folder ?? '', 'host.db'));
  const logs: LogEntry[] = [];
  let origin = '';
  const extension = createDurableExtension(
    {
      db,
      clock: options.clock ?? systemClock,
      ids: systemIds,
      log: { log: (level, message, fields) => logs.push({ level, message, ...(fields ? { fields } : {}) }) },
      baseUrl: () => origin,
      functions: registeredDurableFunctions().filter(({ name }) => options.without?.includes(name) !== true),
      invoke: options.invoke ?? callRegistered,
    },
    {
      hubName: 'TestHub',
      systemKey,
      settings: options.settings,
      verifyReplay: options.verifyReplay ?? false,
    },
  );
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', origin);
      const path = url.pathname.slice('/runtime/webhooks/durabletask'.length);
      const { method = 'GET', headers } = request;
      const body = Buffer.concat(chunks);
      const answer = async (): Promise<void> => {
        const reply = await extension.handle({ method, path, query: url.searchParams, headers, body });
        response.writeHead(reply.status, reply.headers).end(reply.body);
      };
      void answer();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await extension.start();
  return {
    extension,
    client: clientOf(extension),
    db,
    origin,
    logs,
    dispose: async () => {
      await extension.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      db.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Creates the SDK's client as inside a function, from the binding's JSON. */
function clientOf(extension: DurableExtension): DurableClient {
  // Without it the SDK rewrites every URL to localhost:7071, the address of Core Tools.
  process.env['WEBSITE_HOSTNAME'] ??= 'localhost';
  const input = { type: 'durableClient', name: 'client' };
  const extraInputs = { get: () => JSON.parse(extension.clientBinding()) as unknown };
  return getClient({ options: { extraInputs: [input] }, extraInputs } as unknown as InvocationContext);
}

export interface Status {
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly customStatus?: unknown;
  readonly input: unknown;
  readonly name: string;
}

/** Polls until the instance has one of the statuses. */
export async function waitForStatus(
  client: DurableClient,
  instanceId: string,
  statuses: readonly string[] = ['Completed', 'Failed', 'Terminated'],
): Promise<Status> {
  return until(
    async () => {
      const status = await client.getStatus(instanceId);
      return statuses.includes(status.runtimeStatus) && status;
    },
    async () => JSON.stringify(await client.getStatus(instanceId)),
  );
}

export async function runToEnd(harness: DurableHarness, name: string, input?: unknown): Promise<Status> {
  const id = await harness.client.startNew(name, input === undefined ? {} : { input });
  return waitForStatus(harness.client, id);
}
