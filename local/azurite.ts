import { extname } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

import { AppError } from '../shared/core/errors.ts';
import type { AzuriteMessage, AzuriteSettings } from './azurite/protocol.ts';

/** The well-known account of Azure emulators. Its key is public: only the loopback address protects the data. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

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
  await mkdir(options.dataDir, { recursive: true });
  const settings: AzuriteSettings = {
    dataDir: options.dataDir,
    blobPort: options.port ?? 0,
    queuePort: options.queuePort ?? 0,
  };
  // The thread discards Azurite's output and gets none of the caller's AZURITE_* variables.
  const worker = new Worker(new URL(`./azurite/worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: settings,
    stdout: true,
    stderr: true,
    env: { NODE_ENV: 'production' },
    execArgv: [],
    name: 'azurite',
  });
  worker.stdout.resume();
  worker.stderr.resume();

  let state: 'starting' | 'running' | 'stopped' = 'starting';
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  const ports = await new Promise<{ blobPort: number; queuePort: number }>((resolve, reject) => {
    let failure: AppError | undefined;
    worker.on('message', (message: AzuriteMessage) => {
      if (message.kind === 'started') {
        state = 'running';
        resolve(message);
      } else {
        failure = new AppError('UNAVAILABLE', message.reason, { dataDir: options.dataDir });
      }
    });
    worker.on('error', (error) => {
      failure ??= new AppError('UNAVAILABLE', 'The local blob storage stopped unexpectedly.', {}, error);
    });
    worker.once('exit', (exitCode) => {
      failure ??= new AppError('UNAVAILABLE', 'The local blob storage stopped unexpectedly.', { exitCode });
      if (state === 'running') options.onFailure?.(failure);
      state = 'stopped';
      reject(failure);
    });
  });

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
      if (state === 'running') {
        state = 'stopped';
        worker.postMessage('stop');
        const forced = setTimeout(() => void worker.terminate(), 5_000);
        await exited;
        clearTimeout(forced);
      }
      await exited;
    },
  };
}
