import { dirname, join } from 'node:path/posix';
import { AppError, isAppError } from '../../../core/errors.ts';
import { threadHost } from '../../../core/worker/host.ts';
import { OwnedWorker } from '../../../core/worker/owned-worker.ts';
import type { BlobProperties } from '../../../platform/storage/blobs.ts';
import type { ScratchFile, ScratchFiles } from '../../../platform/storage/scratch.ts';
import type { InspectedFile, InspectJobs } from './inspect-protocol.ts';

export interface InspectModelDeps {
  readonly scratch: ScratchFiles;
  /** The module that calls `runInspectWorker`. */
  readonly workerUrl: URL;
}

export interface InspectModelOptions {
  /** Larger models are not kept loaded, so they are not opened. Weights in other files count. */
  readonly maxBytes: number;
  /** For waiting, fetching, loading and running it once. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 20_000;

/**
 * Opens model files as scoring would, one after another, each in a thread of its own: they come from outside. What is
 * wrong with a model is an answer, not an exception.
 */
export function createModelInspector(
  { scratch, workerUrl }: InspectModelDeps,
  { maxBytes, timeoutMs = defaultTimeoutMs }: InspectModelOptions,
): (blob: BlobProperties) => Promise<InspectedFile & { readonly sha256: string }> {
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
      return { sha256: file.sha256, ...(await open(blob, file, signal)) };
    } catch (error) {
      if (!signal.aborted && !isAppError(error, 'PRECONDITION_FAILED')) throw error;
      const reason = signal.aborted
        ? `Opening it took longer than ${timeoutMs} ms.`
        : 'It was being written at the same time.';
      return { sha256: '', serving: { status: 'notChecked', reason } };
    }
  }

  async function open(model: BlobProperties, file: ScratchFile, signal: AbortSignal): Promise<InspectedFile> {
    let hasDied = false;
    await using worker = await OwnedWorker.start<InspectJobs>({
      host: threadHost(workerUrl, { name: 'inspect' }),
      work: 'Opening the model',
      // Loading and running are native code, which no signal reaches.
      graceMs: 0,
      startTimeoutMs: timeoutMs,
      toExitError: ({ cause }) => {
        hasDied = true;
        return new AppError('UNAVAILABLE', 'The thread that opened the model died.', {}, cause);
      },
    });
    try {
      return await openIn(worker, model, file, signal);
    } catch (error) {
      if (!hasDied || signal.aborted) throw error;
      return { serving: { status: 'notChecked', reason: 'The thread that opened it died.' } };
    }
  }

  async function openIn(
    worker: OwnedWorker<InspectJobs>,
    model: BlobProperties,
    file: ScratchFile,
    signal: AbortSignal,
  ): Promise<InspectedFile> {
    const first = await worker.run('inspect', { path: file.path, hasWeights: false }, { signal });
    if (first.type === 'found') return first.found;
    const { files, signature } = first;
    const problem = await fetchWeights(model, file, files, signal);
    if (problem !== undefined)
      return {
        serving: { status: 'unservable', reason: problem },
        ...(signature === undefined ? {} : { signature }),
      };
    const second = await worker.run('inspect', { path: file.path, hasWeights: true }, { signal });
    if (second.type === 'found') return second.found;
    throw new Error('the inspecting thread asked twice for weights');
  }

  /** @returns What is wrong with them. */
  async function fetchWeights(
    model: BlobProperties,
    file: ScratchFile,
    paths: readonly string[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    let leftBytes = maxBytes - file.sizeBytes;
    for (const path of paths) {
      const ref = { ...model.ref, name: join(dirname(model.ref.name), path) };
      try {
        const beside = { file, path };
        leftBytes -= (await scratch.download(ref, { maxBytes: leftBytes, beside, signal })).sizeBytes;
      } catch (error) {
        if (isAppError(error, 'NOT_FOUND')) return `It keeps weights in "${path}", which is not there.`;
        if (isAppError(error, 'INVALID_ARGUMENT')) return `It cannot keep weights in "${path}".`;
        if (isAppError(error, 'PAYLOAD_TOO_LARGE'))
          return `With its weights it has more than ${maxBytes} bytes, and no more are kept loaded (SLIPWAY_SESSION_CACHE_BYTES).`;
        throw error;
      }
    }
    return undefined;
  }
}
