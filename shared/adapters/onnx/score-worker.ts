import { parentPort, workerData } from 'node:worker_threads';
import { toAppError } from '../../core/errors.ts';
import { createSession, runSession } from './run-session.ts';
import type { ScoreAnswer, ScoreRequest, ScoreThreadOptions } from './score-protocol.ts';
import { SessionCache, type Loaded } from './session-cache.ts';

/** The scoring thread: batches and big models run here, so that the main thread's event loop stays free. */
if (parentPort === null) throw new Error('this module runs in a worker thread only');
const port = parentPort;
const { cacheBytes, chunkRows } = workerData as ScoreThreadOptions;
type Session = Awaited<ReturnType<typeof createSession>>;
const sessions = new SessionCache<Loaded & { readonly session: Session }>(cacheBytes);

port.on('message', (request: ScoreRequest) => {
  void answer(request).then((reply) =>
    port.postMessage(reply, reply.type === 'scored' ? [reply.probabilities.buffer] : []),
  );
});

async function answer({ id, sha256, bytes, rows }: ScoreRequest): Promise<ScoreAnswer> {
  if (bytes === null && !sessions.has(sha256)) return { id, type: 'needsModel' };
  try {
    const probabilities = await sessions.use(
      sha256,
      () => load(bytes ?? new Uint8Array()),
      async ({ session }) =>
        rows === null ? new Float32Array() : await runSession(session, rows, chunkRows),
    );
    return { id, type: 'scored', probabilities };
  } catch (error) {
    const { code, message, details } = toAppError(error);
    return { id, type: 'failed', code, message, details };
  }
}

async function load(bytes: Uint8Array): Promise<Loaded & { readonly session: Session }> {
  const session = await createSession(bytes);
  return { session, sizeBytes: bytes.length, release: () => session.release() };
}
