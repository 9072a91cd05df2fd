import { AppError } from '../../core/errors.ts';
import type { PackedRows } from '../../domains/serving/pack-rows.ts';
import type { ModelDescription, ModelSource, Scorer } from '../../domains/serving/scorer.ts';
import { refuseWeightFiles } from './external-data.ts';
import { readModel } from './read-model.ts';
import { createSession, probabilityOutput, runSession } from './run-session.ts';
import { ScoreThread } from './score-thread.ts';
import { SessionCache, type Loaded } from './session-cache.ts';

export interface OnnxScorerOptions {
  /** Models kept loaded, by the size of their files; the scoring thread keeps as many again. */
  readonly cacheBytes: number;
  /** The most rows of one call. */
  readonly maxRows: number;
  /** A larger model would stall the event loop while it loads: it lives in the scoring thread alone. */
  readonly maxMainThreadModelBytes?: number;
}

/** About 5 ms of loading. */
const defaultMainThreadModelBytes = 128 * 1024;
/** Rows/s of the flights model by rows a call: 1: 42k, 16: 530k, 256: 2.8M, 1024: 3.6M, 4096: 3.8M. */
const chunkRows = 1024;
/** How many of the largest calls may wait. */
const maxWaitingCalls = 16;

interface LoadedModel extends Loaded {
  readonly bytes: Uint8Array;
  readonly description: ModelDescription;
  /** Null when the model lives in the scoring thread alone. */
  readonly session: Awaited<ReturnType<typeof createSession>> | null;
}

/**
 * Scores with ONNX Runtime. `run` is synchronous inside, so one row (about 20 µs) is scored where it is asked for,
 * and anything more in a thread.
 */
export function createOnnxScorer(options: OnnxScorerOptions): Scorer {
  const { cacheBytes, maxRows, maxMainThreadModelBytes = defaultMainThreadModelBytes } = options;
  const models = new SessionCache<LoadedModel>(cacheBytes);
  const thread = new ScoreThread({ cacheBytes, chunkRows, maxWaitingRows: maxWaitingCalls * maxRows });
  const load = async (model: ModelSource): Promise<LoadedModel> => {
    const bytes = await model.load();
    const description = readModel(bytes);
    // The runtime would look for them in the working directory.
    if (description.weightFiles.length > 0) throw refuseWeightFiles();
    const sizeBytes = bytes.length;
    if (sizeBytes > maxMainThreadModelBytes) {
      await thread.score(model.sha256, async () => bytes, null);
      return { bytes, description, session: null, sizeBytes, release: async () => {} };
    }
    const session = await createSession(bytes);
    return { bytes, description, session, sizeBytes, release: () => session.release() };
  };
  return {
    describe: (model) =>
      models.use(
        model.sha256,
        () => load(model),
        async ({ description }) => description,
      ),
    score: async (model, packed) => {
      if (packed.rows > maxRows)
        throw new AppError('PAYLOAD_TOO_LARGE', `${packed.rows} rows are more than ${maxRows}.`, { maxRows });
      const probabilities = await models.use(
        model.sha256,
        () => load(model),
        async ({ session, bytes, description }) => {
          checkScorable(description, packed);
          return session !== null && packed.rows === 1
            ? await runSession(session, packed, 1)
            : await thread.score(model.sha256, async () => bytes, packed);
        },
      );
      return { probabilities };
    },
    close: async () => {
      await models.clear();
      await thread.close();
    },
  };
}

function checkScorable({ outputs, inputs }: ModelDescription, packed: PackedRows): void {
  if (!outputs.some(({ name, type }) => name === probabilityOutput && type === 'float32'))
    throw new AppError(
      'UNPROCESSABLE',
      `The model has no float32 output "${probabilityOutput}"; it has: ${outputs.map(({ name, type }) => `${name} (${type})`).join(', ')}.`,
    );
  const given = new Map<string, string>(packed.columns.map(({ name, tensor }) => [name, tensor]));
  for (const { name, type } of inputs)
    if (given.get(name) !== type)
      throw new AppError('INVALID_ARGUMENT', `The rows do not fit the model's input "${name}" (${type}).`);
}
