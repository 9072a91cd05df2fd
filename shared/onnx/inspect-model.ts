import { Worker } from 'node:worker_threads';
import { isAppError } from '../core/errors.ts';
import type { BlobProperties } from '../storage/blobs.ts';
import type { Scratch } from '../storage/scratch.ts';
import type { InspectedFile, InspectTask } from './inspect-protocol.ts';

export interface InspectModelOptions {
  readonly scratch: Scratch;
  /** No larger model is kept loaded, so none is opened. */
  readonly maxBytes: number;
  /** For fetching, loading and running it once, and for those before it. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 20_000;

/**
 * Opens model files as scoring would, one after another, each in a thread of its own: what is opened here comes from
 * outside. What is wrong with a model is told, not thrown.
 */
export function createModelInspector({
  scratch,
  maxBytes,
  timeoutMs = defaultTimeoutMs,
}: InspectModelOptions): (blob: BlobProperties) => Promise<InspectedFile & { readonly sha256: string }> {
  let last: Promise<unknown> = Promise.resolve();
  return async (blob) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const turn = last.then(() => inspect(blob, signal));
    last = turn.catch(() => undefined);
    return turn;
  };

  async function inspect(
    blob: BlobProperties,
    signal: AbortSignal,
  ): Promise<InspectedFile & { readonly sha256: string }> {
    if (blob.sizeBytes > maxBytes)
      return {
        sha256: '',
        serving: {
          status: 'unservable',
          reason: `It has ${blob.sizeBytes} bytes, and no more than ${maxBytes} are kept loaded (SLIPWAY_SESSION_CACHE_BYTES).`,
        },
      };
    try {
      await using file = await scratch.download(blob.ref, { maxBytes, ifMatch: blob.etag, signal });
      return { sha256: file.sha256, ...(await runWorker({ path: file.path }, signal)) };
    } catch (error) {
      if (!signal.aborted && !isAppError(error, 'PRECONDITION_FAILED')) throw error;
      const reason = signal.aborted
        ? `Opening it took longer than ${timeoutMs} ms.`
        : 'It was being written at the same time.';
      return { sha256: '', serving: { status: 'notChecked', reason } };
    }
  }
}

async function runWorker(task: InspectTask, signal: AbortSignal): Promise<InspectedFile> {
  const worker = new Worker(workerUrl(), { workerData: task, execArgv: [] });
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<InspectedFile>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () =>
        resolve({ serving: { status: 'notChecked', reason: 'Opening it did not come to an end.' } }),
      );
      if (signal.aborted) stop();
    }).then((found) => {
      signal.throwIfAborted();
      return found;
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** The built app is JavaScript; tests and development run the sources. */
function workerUrl(): URL {
  return new URL(`./inspect-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
