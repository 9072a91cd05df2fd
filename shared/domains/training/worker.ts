import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { sha256 } from '../../core/ids.ts';
import { canonicalJson, type JsonValue } from '../../core/json.ts';
import { packError } from '../../core/thrown.ts';
import type { Signature } from '../serving/signature.ts';
import type { TrainedModel } from './entities.ts';
import type { TableReader } from './table-reader.ts';
import { train } from './train.ts';
import type { OwnerMessage, TrainingJob, TrainingOutcome, WorkerMessage } from './worker-protocol.ts';

/** What the thread's composition root provides. */
export interface TrainingTools {
  openReader(job: TrainingJob): TableReader;
  /** Must give equal bytes for equal arguments. */
  writeModel(
    model: TrainedModel,
    signature: Signature,
    metadata: Readonly<Record<string, string>>,
  ): Uint8Array<ArrayBuffer>;
}

const progressIntervalMs = 100;

/** Runs the one job a training thread is started with, and tells its owner how it went. */
export async function runTrainingWorker(tools: TrainingTools): Promise<void> {
  if (parentPort === null) throw new Error('this module runs in a worker thread only');
  const port = parentPort;
  const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const abort = new AbortController();
  port.on('message', (message: OwnerMessage) => {
    if (message.type === 'abort') abort.abort();
  });
  try {
    const outcome = await runJob(workerData as TrainingJob, tools, send, abort.signal);
    send({ type: 'done', outcome }, [outcome.model.buffer]);
  } catch (error) {
    send({ type: 'failed', ...packError(error) });
  } finally {
    port.close();
  }
}

async function runJob(
  job: TrainingJob,
  tools: TrainingTools,
  send: (message: WorkerMessage) => void,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  let lastMs = -Infinity;
  const { model, report } = await train(tools.openReader(job), job.paths, job.spec, {
    now: () => performance.now(),
    onProgress: (progress) => {
      // Reading reports every batch; its owner need not hear of each.
      if (progress.phase === 'reading' && performance.now() - lastMs < progressIntervalMs) return;
      lastMs = performance.now();
      send({ type: 'progress', progress });
    },
    threads: job.threads,
    yield: async () => {
      await setImmediate();
    },
    signal,
  });
  const bytes = tools.writeModel(model, report.signature, {
    ...job.metadata,
    'slipway.training': canonicalJson(plain(report.spec) as JsonValue),
  });
  return { model: bytes, sha256: sha256(bytes), report };
}

/** A copy without what cannot travel between threads. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
