import { AppError } from '../../../core/errors.ts';
import { checkInputs } from '../../../domains/serving/check-inputs.ts';
import type { ModelDescription, ModelSource, RunOptions, Scorer } from '../../../domains/serving/scorer.ts';
import type { Tensors } from '../../../domains/serving/tensor.ts';
import { openModel } from '../sessions/open-model.ts';
import { runInChunks } from './run-in-chunks.ts';
import { ScoreThread, type ScoreThreadDeps } from './score-thread.ts';
import { SessionCache, type Loaded } from '../sessions/session-cache.ts';
import type { Session } from '../sessions/session.ts';

export interface OnnxScorerOptions {
  /** Models kept loaded, by the size of their files; the scoring thread keeps as many again. */
  readonly cacheBytes: number;
  /** The most rows of one run. */
  readonly maxRows: number;
  /** A larger model would stall the event loop while it loads, so it lives in the scoring thread alone. */
  readonly maxMainThreadModelBytes?: number;
}

/** About 5 ms of loading. */
const defaultMainThreadModelBytes = 128 * 1024;
/** Rows/s of the flights model by rows a run: 1: 42k, 16: 530k, 256: 2.8M, 1024: 3.6M, 4096: 3.8M. */
const chunkRows = 1024;
/** How many of the largest runs may wait. */
const maxWaitingRuns = 16;
/** How many elements of tensors count as a row. */
const elementsPerRow = 100;

interface LoadedModel extends Loaded {
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly description: ModelDescription;
  /** Null when the model lives in the scoring thread alone. */
  readonly session: Session | null;
}

/**
 * Scores with ONNX Runtime. `run` is synchronous inside, so a single row (about 20 µs) runs in the calling thread, and
 * everything else in the scoring thread.
 */
export function createOnnxScorer(deps: ScoreThreadDeps, options: OnnxScorerOptions): Scorer {
  const { cacheBytes, maxRows, maxMainThreadModelBytes = defaultMainThreadModelBytes } = options;
  const models = new SessionCache<LoadedModel>(cacheBytes);
  const thread = new ScoreThread(deps, { cacheBytes, chunkRows, maxWaitingRows: maxWaitingRuns * maxRows });

  async function load(source: ModelSource): Promise<LoadedModel> {
    const { sha256 } = source;
    const bytes = await source.load();
    const loaded = { sha256, bytes, sizeBytes: bytes.length };
    if (bytes.length <= maxMainThreadModelBytes) return { ...loaded, ...(await openModel(bytes)) };
    const description = await thread.load(sha256, bytes);
    return { ...loaded, description, session: null, release: async () => {} };
  }

  async function run(model: LoadedModel, inputs: Tensors, { outputs, rows }: RunOptions): Promise<Tensors> {
    if (rows !== undefined && rows > maxRows)
      throw new AppError('PAYLOAD_TOO_LARGE', `${rows} rows are more than ${maxRows}.`, { maxRows });
    checkInputs(model.description.inputs, inputs);
    const call = { inputs, outputs, rows };
    return model.session !== null && rows === 1
      ? await runInChunks(model.session, call, chunkRows)
      : await thread.run(model.sha256, model.bytes, call, weigh(inputs, rows, maxRows));
  }

  return {
    open: async (source) => {
      const loan = await models.lend(source.sha256, () => load(source));
      return {
        description: loan.value.description,
        run: (inputs, runOptions) => run(loan.value, inputs, runOptions),
        [Symbol.asyncDispose]: () => loan[Symbol.asyncDispose](),
      };
    },
    close: async () => {
      await models.clear();
      await thread.close();
    },
  };
}

/** How many rows a run counts as among those that wait. The largest tensors count as the most rows. */
function weigh(inputs: Tensors, rows: number | undefined, maxRows: number): number {
  if (rows !== undefined) return rows;
  let elements = 0;
  for (const { data } of inputs.values()) elements += data.length;
  return Math.min(maxRows, Math.ceil(elements / elementsPerRow));
}
