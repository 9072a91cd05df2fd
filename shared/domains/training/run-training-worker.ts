import { yieldToEventLoop } from '../../core/async/yielder.ts';
import { sha256 } from '../../core/ids.ts';
import { canonicalJson, type JsonValue } from '../../core/json/json.ts';
import { serveJobs, Transferred } from '../../core/worker/serve-jobs.ts';
import type { Signature } from '../serving/signature.ts';
import type { TrainedModel } from './entities.ts';
import type { TableReader } from './table-reader.ts';
import { train, type TrainingProgress } from './train.ts';
import type { TrainedOnnx, TrainingJob, TrainingJobs } from './training-jobs.ts';

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

/** The training thread. */
export function runTrainingWorker(deps: TrainingWorkerDeps): void {
  serveJobs<TrainingJobs>({
    train: async (job, { signal, report }) => {
      const trained = await runJob(job, deps, report, signal);
      return new Transferred(trained, [trained.onnx.buffer]);
    },
  });
}

async function runJob(
  job: TrainingJob,
  { openReader, writeModel }: TrainingWorkerDeps,
  send: (progress: TrainingProgress) => void,
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
      send(progress);
    },
    yield: yieldToEventLoop,
    signal,
  });
  const onnx = writeModel(model, report.signature, {
    ...job.metadata,
    'slipway.training': canonicalJson(JSON.parse(JSON.stringify(report.spec)) as JsonValue),
  });
  return { onnx, sha256: sha256(onnx), report };
}
