import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../core/thrown.ts';
import type { Tensors } from '../../domains/serving/tensor.ts';
import { runInChunks } from './run-in-chunks.ts';
import type { ScoreAnswer, ScoreRequest, ScoreThreadOptions } from './score-protocol.ts';
import { SessionCache, type Loaded } from './session-cache.ts';
import { createSession, type Session } from './session.ts';

type LoadedSession = Loaded & { readonly session: Session };

/** The scoring thread: batches, tensors and large models run here, so that the main thread's event loop stays free. */
export function runScoreWorker(): void {
  if (parentPort === null) throw new Error('this module runs in a worker thread only');
  const port = parentPort;
  const { cacheBytes, chunkRows } = workerData as ScoreThreadOptions;
  const sessions = new SessionCache<LoadedSession>(cacheBytes);

  port.on('message', (request: ScoreRequest) => {
    void answer(request).then((reply) => port.postMessage(reply, buffersOf(reply)));
  });

  async function answer({ id, sha256, bytes, run }: ScoreRequest): Promise<ScoreAnswer> {
    if (bytes === null && !sessions.has(sha256)) return { id, type: 'needsModel' };
    try {
      await using loan = await sessions.lend(sha256, () => load(bytes ?? new Uint8Array()));
      const outputs: Tensors =
        run === null ? new Map() : await runInChunks(loan.value.session, run, chunkRows);
      return { id, type: 'done', outputs };
    } catch (error) {
      return { id, type: 'failed', thrown: packError(error) };
    }
  }
}

async function load(bytes: Uint8Array): Promise<LoadedSession> {
  const session = await createSession(bytes);
  return { session, sizeBytes: bytes.length, release: () => session.release() };
}

/** Moved to the other thread instead of being copied. Two outputs can share one. */
function buffersOf(reply: ScoreAnswer): ArrayBuffer[] {
  if (reply.type !== 'done') return [];
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of reply.outputs.values()) if (!Array.isArray(data)) buffers.add(data.buffer);
  return [...buffers];
}
