import { mkdir } from 'node:fs/promises';
import { extname } from 'node:path';
import { AppError, toAppError } from '../shared/core/errors.ts';
import { threadHost } from '../shared/core/worker/host.ts';
import { OwnedWorker } from '../shared/core/worker/owned-worker.ts';
import type { AzuriteJobs, AzuritePorts } from './azurite/protocol.ts';

/** The well-known account of Azure emulators. Its key is public: only the loopback address protects the data. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** For the thread to load its module. */
const startTimeoutMs = 60_000;
/** For a stop, with the drain of pending requests. */
const stopMs = 5_000;

export interface AzuriteOptions {
  /** Created when missing. For one process at a time. */
  readonly dataDir: string;
  /** Blob service port; 0, the default, takes a free one. */
  readonly port?: number;
  /** Queue service port; 0, the default, takes a free one. */
  readonly queuePort?: number;
  /** Called once when the service stops unexpectedly after its start. */
  readonly onFailure?: (error: AppError) => void;
}

export interface RunningAzurite {
  readonly connectionString: string;
  readonly blobEndpoint: string;
  readonly queueEndpoint: string;
  readonly port: number;
  readonly queuePort: number;
  /** Answers pending requests (two seconds at most), then releases the ports and the data directory. */
  stop(): Promise<void>;
}

/**
 * Runs Azurite's blob and queue services on 127.0.0.1, silent and without telemetry. It answers a request only after
 * its writes are with the operating system, so SIGKILL of this process loses nothing that was acknowledged (see
 * `azurite/journal.ts`).
 *
 * It runs in a worker thread. A child process would outlive a killed host and hold its ports and data; on the host's
 * event loop, uploads and functions would block each other.
 *
 * @throws UNAVAILABLE when a port or the directory is in use by another process, or the start fails
 */
export async function startAzurite(options: AzuriteOptions): Promise<RunningAzurite> {
  const { dataDir, port = 0, queuePort = 0, onFailure } = options;
  await mkdir(dataDir, { recursive: true });
  const module = new URL(`./azurite/worker${extname(import.meta.filename)}`, import.meta.url);
  const worker = await OwnedWorker.start<AzuriteJobs>({
    // The thread does not inherit the caller's AZURITE_* variables.
    host: threadHost(module, { name: 'azurite', env: { NODE_ENV: 'production' } }),
    work: 'The local blob storage',
    startTimeoutMs,
    graceMs: stopMs,
    toExitError: ({ exitCode, cause }) =>
      new AppError('UNAVAILABLE', 'The local blob storage stopped unexpectedly.', { exitCode }, cause),
  });
  const stopping = new AbortController();
  const started = Promise.withResolvers<AzuritePorts>();
  let isRunning = false;
  const serve = async () => {
    try {
      const settings = { dataDir, blobPort: port, queuePort };
      await worker.run('serve', settings, { signal: stopping.signal, onReport: started.resolve });
    } catch (error) {
      started.reject(error);
      if (isRunning && !stopping.signal.aborted) onFailure?.(toAppError(error));
    } finally {
      await worker[Symbol.asyncDispose]();
    }
  };
  const served = serve();
  const ports = await started.promise;
  isRunning = true;

  const blobEndpoint = `http://127.0.0.1:${ports.blobPort}/${account}`;
  const queueEndpoint = `http://127.0.0.1:${ports.queuePort}/${account}`;
  return {
    connectionString: [
      'DefaultEndpointsProtocol=http',
      `AccountName=${account}`,
      `AccountKey=${accountKey}`,
      `BlobEndpoint=${blobEndpoint}`,
      `QueueEndpoint=${queueEndpoint}`,
      '',
    ].join(';'),
    blobEndpoint,
    queueEndpoint,
    port: ports.blobPort,
    queuePort: ports.queuePort,
    async stop() {
      stopping.abort();
      await served;
    },
  };
}
