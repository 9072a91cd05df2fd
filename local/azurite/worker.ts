import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AppError } from '../../shared/core/errors.ts';
import { serveJobs } from '../../shared/core/worker/serve-jobs.ts';
import { LokiJournal } from './journal.ts';
import type { AzuriteJobs, AzuritePorts, AzuriteSettings } from './protocol.ts';
import { startServers, type AzuriteServer } from './servers.ts';

const drainMs = 2_000;

// Discards what Azurite and its dependencies print in this thread.
for (const stream of [process.stdout, process.stderr]) stream.write = () => true;

/** The entry point of Azurite's thread. */
serveJobs<AzuriteJobs>({
  async serve(settings, { signal, report }) {
    const { servers, journal } = await start(settings);
    const ended = Promise.withResolvers<undefined>();
    signal.addEventListener('abort', () => {
      stop(servers, journal).then(() => ended.resolve(undefined), ended.reject);
    });
    // Azurite closes a service when its garbage collector finds records that it cannot read.
    for (const { httpServer } of servers)
      httpServer.once('close', () =>
        ended.reject(new AppError('UNAVAILABLE', 'The local blob storage stopped unexpectedly.')),
      );
    report(portsOf(servers));
    return ended.promise;
  },
});

type Servers = readonly [blob: AzuriteServer, queue: AzuriteServer];

async function start({
  dataDir,
  blobPort,
  queuePort,
}: AzuriteSettings): Promise<{ readonly servers: Servers; readonly journal: LokiJournal }> {
  try {
    const journal = new LokiJournal(join(dataDir, 'metadata.sqlite'));
    const { blob, queue } = await startServers(dataDir, journal, { blob: blobPort, queue: queuePort });
    return { servers: [blob, queue], journal };
  } catch (error) {
    throw new AppError('UNAVAILABLE', describeFailure(error), { dataDir }, error);
  }
}

async function stop(servers: Servers, journal: LokiJournal): Promise<void> {
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
}

function portsOf([blob, queue]: Servers): AzuritePorts {
  const portOf = ({ httpServer }: AzuriteServer): number => (httpServer.address() as AddressInfo).port;
  return { blobPort: portOf(blob), queuePort: portOf(queue) };
}

function describeFailure(error: unknown): string {
  const { code, errcode, port } = error as {
    readonly code?: string;
    readonly errcode?: number;
    readonly port?: number;
  };
  const sqliteBusy = 5;
  if (code === 'EADDRINUSE')
    return `Port ${port} of 127.0.0.1 is in use, but the local blob storage needs it.`;
  if (errcode === sqliteBusy) return 'Another process is using this data directory.';
  return `The local blob storage did not start: ${error instanceof Error ? error.message : String(error)}`;
}
