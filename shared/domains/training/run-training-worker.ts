import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { sha256 } from '../../core/ids.ts';
import { canonicalJson, type JsonValue } from '../../core/json.ts';
import { packError } from '../../core/thrown.ts';
import type { Signature } from '../serving/signature.ts';
import type { TrainedModel } from './entities.ts';
import type { TableReader } from './table-reader.ts';
import { train } from './train.ts';
import type { TrainedOnnx } from './training.ts';
import type { OwnerMessage, TrainingJob, WorkerMessage } from './worker-protocol.ts';

/** What the thread's composition root provides. */
export interface TrainingWorkerDeps {
  readonly openReader: (job: Pick<TrainingJob, 'threads' | 'memoryLimitMb'>) => TableReader;
  /** Must give equal bytes for equal arguments. */
  readonly writeModel: (
    model: TrainedModel,
    signature: Signature,
    metadata: TrainingJob['metadata'],
  ) => Uint8Array<ArrayBuffer>;
}

const progressIntervalMs = 100;

/** Runs the one job that a training thread is started with, and sends its owner the outcome. */
export async function runTrainingWorker(deps: TrainingWorkerDeps): Promise<void> {
  if (parentPort === null) throw new Error('this module runs in a worker thread only');
  const port = parentPort;
  const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const abort = new AbortController();
  port.on('message', (message: OwnerMessage) => {
    if (message.type === 'abort') abort.abort();
  });
  try {
    const trained = await runJob(workerData as TrainingJob, deps, send, abort.signal);
    send({ type: 'done', trained }, [trained.onnx.buffer]);
  } catch (error) {
    send({ type: 'failed', ...packError(error) });
  } finally {
    port.close();
  }
}

async function runJob(
  job: TrainingJob,
  { openReader, writeModel }: TrainingWorkerDeps,
  send: (message: WorkerMessage) => void,
  signal: AbortSignal,
): Promise<TrainedOnnx> {
  let lastMs = -Infinity;
  const { model, report } = await train(openReader(job), job.paths, job.spec, {
    threads: job.threads,
    now: () => performance.now(),
    onProgress: (progress) => {
      // Reading reports every batch, which is more than an owner needs.
      if (progress.phase === 'reading' && performance.now() - lastMs < progressIntervalMs) return;
      lastMs = performance.now();
      send({ type: 'progress', progress });
    },
    yield: async () => {
      await setImmediate();
    },
    signal,
  });
  const onnx = writeModel(model, report.signature, {
    ...job.metadata,
    'slipway.training': canonicalJson(JSON.parse(JSON.stringify(report.spec)) as JsonValue),
  });
  return { onnx, sha256: sha256(onnx), report };
}
