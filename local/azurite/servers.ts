import type { Server, ServerResponse } from 'node:http';
import Module, { createRequire } from 'node:module';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { LokiDatabase, LokiJournal } from './journal.ts';

/** The part of Azurite 3.37's BlobServer and QueueServer (`ServerBase`) used here. */
export interface AzuriteServer {
  readonly httpServer: Server;
  readonly metadataStore: { readonly db: LokiDatabase };
  readonly extentMetadataStore: {
    readonly db: LokiDatabase;
    getExtentLocationId(id: string): Promise<string>;
  };
  readonly extentStore: {
    appendExtent(data: unknown, contextId?: string): Promise<unknown>;
    deleteExtents(ids: Iterable<string>): Promise<number>;
  };
  start(): Promise<void>;
}

type ServerClass = new (configuration: object) => AzuriteServer;
type ConfigurationClass = new (...settings: readonly unknown[]) => object;
type StorageErrorClass = new (status: number, code: string, message: string, requestId: string) => Error;

const require = createRequire(import.meta.url);

/**
 * Loads Azurite's two services by path, without its table service and SQL drivers. A stub replaces Application
 * Insights: it sends no telemetry and saves two thirds of the load time.
 */
function loadAzurite() {
  const azuriteRequire = createRequire(require.resolve('azurite/package.json'));
  const telemetryPath = azuriteRequire.resolve('applicationinsights');
  const stub = new Module(telemetryPath);
  stub.loaded = true;
  require.cache[telemetryPath] = stub;
  const load = (path: string): unknown =>
    (require(`azurite/dist/src/${path}.js`) as { readonly default: unknown }).default;
  return {
    blob: {
      Server: load('blob/BlobServer') as ServerClass,
      Configuration: load('blob/BlobConfiguration') as ConfigurationClass,
      StorageError: load('blob/errors/StorageError') as StorageErrorClass,
    },
    queue: {
      Server: load('queue/QueueServer') as ServerClass,
      Configuration: load('queue/QueueConfiguration') as ConfigurationClass,
      StorageError: load('queue/errors/StorageError') as StorageErrorClass,
    },
  };
}

/** Starts both services on one journal. @returns the listening servers */
export async function startServers(
  dataDir: string,
  journal: LokiJournal,
  ports: { readonly blob: number; readonly queue: number },
): Promise<Record<'blob' | 'queue', AzuriteServer>> {
  const azurite = loadAzurite();
  const start = async (service: 'blob' | 'queue'): Promise<AzuriteServer> => {
    const { Server, Configuration, StorageError } = azurite[service];
    const extentDir = join(dataDir, `${service}-extents`);
    // Azurite loads a database only when a file of that name exists: the journal's serves for both.
    const server = new Server(
      new Configuration(
        '127.0.0.1',
        ports[service],
        // Seconds of keep-alive. With Azurite's 5 a client may send into a connection that is being closed.
        120,
        journal.path,
        journal.path,
        [{ locationId: 'Default', locationPath: extentDir, maxConcurrency: 10 }],
        false,
        undefined,
        false,
        undefined,
        false,
        // Skips the check of the API version: the client's is newer than this Azurite.
        true,
      ),
    );
    journal.attach(service, server.metadataStore.db, { undo: true });
    // Not rolled back: a blob must never refer to an unknown file, while a file without blobs is harmless.
    journal.attach(`${service}-extents`, server.extentMetadataStore.db, { undo: false });
    answerOnlyWhatIsSaved(server, journal);
    nameFullDisk(server, StorageError);
    const files = await listFiles(extentDir);
    await server.start();
    await removeOrphans(server, extentDir, files);
    return server;
  };
  const [blob, queue] = await Promise.all([start('blob'), start('queue')]);
  return { blob, queue };
}

/**
 * Flushes the journal before the head of every answer, reads included: no client may act on a state that a kill could
 * undo. An answer fails when its state could not be saved, or when another request's failure rolled it back meanwhile.
 */
function answerOnlyWhatIsSaved(server: AzuriteServer, journal: LokiJournal): void {
  const flush = (response: ServerResponse, status: number, generation: number): number => {
    let failure: unknown;
    try {
      journal.flush();
    } catch (error) {
      failure = error;
    }
    if (journal.generation === generation || status >= 500) return status;
    const full = isFullDisk(failure);
    response.setHeader('x-ms-error-code', full ? 'InsufficientStorage' : 'ServerBusy');
    return full ? 507 : 503;
  };
  server.httpServer.prependListener('request', (_request, response) => {
    const { generation } = journal;
    const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => typeof response;
    response.writeHead = (status: number, ...rest: unknown[]) =>
      writeHead(flush(response, status, generation), ...rest);
  });
  // The collector must not delete bytes of a blob whose deletion is not saved.
  const { extentStore } = server;
  const deleteExtents = extentStore.deleteExtents.bind(extentStore);
  extentStore.deleteExtents = (ids) => {
    journal.flush();
    return deleteExtents(ids);
  };
}

/**
 * Answers 507 when the disk is full. Azurite answers a bare 500 and leaves the rest of the body unread, which blocks the
 * connection.
 */
function nameFullDisk({ extentStore, httpServer }: AzuriteServer, StorageError: StorageErrorClass): void {
  httpServer.prependListener('request', (request, response) => {
    response.once('finish', () => {
      if (request.complete) return;
      request.removeAllListeners('data');
      request.resume();
    });
  });
  const appendExtent = extentStore.appendExtent.bind(extentStore);
  extentStore.appendExtent = async (data, contextId) => {
    try {
      return await appendExtent(data, contextId);
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      throw new StorageError(507, 'InsufficientStorage', 'The disk is full.', contextId ?? '');
    }
  };
}

function isFullDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const sqliteFull = 13;
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === sqliteFull;
}

async function listFiles(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Deletes the bytes of uploads that a kill interrupted: no record refers to them, and Azurite's collector never does. */
async function removeOrphans(server: AzuriteServer, dir: string, files: readonly string[]): Promise<void> {
  const { collections } = server.extentMetadataStore.db;
  const known = new Set(
    collections.flatMap(({ data }) => data.map((extent) => (extent as { readonly id?: string }).id)),
  );
  for (const file of files) {
    if (!known.has(file)) await rm(join(dir, file), { force: true });
  }
}
