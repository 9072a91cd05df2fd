import { extname } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

import { AppError } from '../shared/core/errors.ts';
import type { AzuriteMessage, AzuriteSettings } from './azurite/protocol.ts';

/** The account every Azure emulator has; the key is public, so it guards nothing beyond the loopback address. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface AzuriteOptions {
  /** Made when missing. One process at a time may hold it. */
  readonly dataDir: string;
  /** Blob service port; 0, the default, takes a free one. */
  readonly port?: number;
  /** Queue service port; 0, the default, takes a free one. */
  readonly queuePort?: number;
  /** Told once when the service dies on its own after it had started. */
  readonly onFailure?: (error: AppError) => void;
}

export interface RunningAzurite {
  readonly connectionString: string;
  readonly blobEndpoint: string;
  readonly queueEndpoint: string;
  readonly port: number;
  readonly queuePort: number;
  /** Answers what is in flight (two seconds at most), then frees the ports and the data directory. */
  stop(): Promise<void>;
}

/**
 * Runs Azurite's blob and queue services on 127.0.0.1, silent and without telemetry, with everything an answered
 * request wrote already in the hands of the operating system: SIGKILL of this process loses nothing that was
 * acknowledged (see `azurite/journal.ts`).
 *
 * It lives in a worker thread. A child process would outlive a killed host and hold its ports and data; on the
 * host's own event loop, uploads and function code would stall one another.
 *
 * @throws UNAVAILABLE when a port is taken, the directory is in use by another process, or the start fails
 */
export async function startAzurite(options: AzuriteOptions): Promise<RunningAzurite> {
  await mkdir(options.dataDir, { recursive: true });
  const settings: AzuriteSettings = {
    dataDir: options.dataDir,
    blobPort: options.port ?? 0,
    queuePort: options.queuePort ?? 0,
  };
  // Whatever Azurite prints stays in the thread, and none of the caller's AZURITE_* variables reaches it.
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
