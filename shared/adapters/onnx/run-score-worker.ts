import { serveJobs, Transferred } from '../../core/worker/serve-jobs.ts';
import type { Tensors } from '../../domains/serving/tensor.ts';
import { runInChunks } from './run-in-chunks.ts';
import type { ScoreJobs } from './score-protocol.ts';
import { SessionCache, type Loaded } from './session-cache.ts';
import { createSession, type Session } from './session.ts';

type LoadedSession = Loaded & { readonly session: Session };

/** The scoring thread: batches, tensors and large models run here, so that the main thread's event loop stays free. */
export function runScoreWorker(): void {
  let sessions: SessionCache<LoadedSession> | undefined;
  serveJobs<ScoreJobs>({
    score: async ({ sha256, run, cacheBytes, chunkRows }, { ask }) => {
      sessions ??= new SessionCache(cacheBytes);
      await using loan = await sessions.lend(sha256, async () => load(await ask('needsModel')));
      const outputs: Tensors =
        run === null ? new Map() : await runInChunks(loan.value.session, run, chunkRows);
      return new Transferred(outputs, buffersOf(outputs));
    },
  });
}

async function load(bytes: Uint8Array): Promise<LoadedSession> {
  const session = await createSession(bytes);
  return { session, sizeBytes: bytes.length, release: () => session.release() };
}

/** Moved to the other thread instead of being copied. Two outputs can share one. */
function buffersOf(outputs: Tensors): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of outputs.values()) if (!Array.isArray(data)) buffers.add(data.buffer);
  return [...buffers];
}
