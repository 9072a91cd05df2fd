import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { LokiJournal } from './journal.ts';
import type { AzuriteMessage, AzuriteSettings } from './protocol.ts';
import { startServers } from './servers.ts';
import type { AzuriteServer } from './servers.ts';

const drainMs = 2_000;

/** The entry point of Azurite's thread: starts the services, reports their ports and ends on `'stop'`. */
async function main(settings: AzuriteSettings): Promise<void> {
  try {
    const journal = new LokiJournal(join(settings.dataDir, 'metadata.sqlite'));
    const servers = await startServers(settings.dataDir, journal, {
      blob: settings.blobPort,
      queue: settings.queuePort,
    });
    parentPort?.once('message', () => void stop(Object.values(servers), journal));
    // Azurite closes a service when its garbage collector finds records that it cannot read.
    for (const { httpServer } of Object.values(servers)) httpServer.once('close', () => process.exit(1));
    report({ kind: 'started', blobPort: portOf(servers.blob), queuePort: portOf(servers.queue) });
  } catch (error) {
    report({ kind: 'failed', reason: describeFailure(error) });
    process.exit(1);
  }
}

async function stop(servers: readonly AzuriteServer[], journal: LokiJournal): Promise<void> {
  await Promise.all(
    servers.map(({ httpServer }) => {
      httpServer.removeAllListeners('close');
      const closed = new Promise((resolve) => httpServer.close(resolve));
      httpServer.closeIdleConnections();
      setTimeout(() => httpServer.closeAllConnections(), drainMs).unref();
      return closed;
    }),
  );
  journal.close();
  process.exit(0);
}

function report(message: AzuriteMessage): void {
  parentPort?.postMessage(message);
}

function portOf(server: AzuriteServer): number {
  return (server.httpServer.address() as AddressInfo).port;
}

function describeFailure(error: unknown): string {
  const { code, errcode, port } = error as {
    readonly code?: string;
    readonly errcode?: number;
    readonly port?: number;
  };
  const sqliteBusy = 5;
  if (code === 'EADDRINUSE')
    return `The local blob storage needs port ${port} of 127.0.0.1, which is in use.`;
  if (errcode === sqliteBusy) return 'Another process is using this data directory.';
  return `The local blob storage did not start: ${error instanceof Error ? error.message : String(error)}`;
}

await main(workerData as AzuriteSettings);
