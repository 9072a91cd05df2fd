import { serveJobs, Transferred, type JobContext } from '../../../core/worker/serve-jobs.ts';
import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import type { Tensors } from '../../../domains/serving/tensor.ts';
import { runInChunks } from './run-in-chunks.ts';
import type { ScoreJobs } from './score-protocol.ts';
import { SessionCache, type Loaded } from '../sessions/session-cache.ts';
import { openModel } from '../sessions/open-model.ts';
import type { Session } from '../sessions/session.ts';

type LoadedModel = Loaded & { readonly description: ModelDescription; readonly session: Session };

/** The scoring thread: batches, tensors and large models run here, so that the main thread's event loop stays free. */
export function runScoreWorker(): void {
  let models: SessionCache<LoadedModel> | undefined;
  const lend = (
    { sha256, cacheBytes }: ScoreJobs['load']['input'],
    { ask }: JobContext<'needsModel', Uint8Array>,
  ) => {
    models ??= new SessionCache(cacheBytes);
    return models.lend(sha256, async () => load(await ask('needsModel')));
  };
  serveJobs<ScoreJobs>({
    load: async (input, context) => {
      await using loan = await lend(input, context);
      return loan.value.description;
    },
    run: async (input, context) => {
      await using loan = await lend(input, context);
      const outputs = await runInChunks(loan.value.session, input.run, input.chunkRows);
      return new Transferred(outputs, buffersOf(outputs));
    },
  });
}

async function load(bytes: Uint8Array): Promise<LoadedModel> {
  return { ...(await openModel(bytes)), sizeBytes: bytes.length };
}

/** Moved to the other thread instead of being copied. Two outputs can share one. */
function buffersOf(outputs: Tensors): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of outputs.values()) if (!Array.isArray(data)) buffers.add(data.buffer);
  return [...buffers];
}
