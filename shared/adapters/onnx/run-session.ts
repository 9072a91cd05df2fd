import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError } from '../../core/errors.ts';
import type { PackedColumn, PackedRows } from '../../domains/serving/pack-rows.ts';

/** The output that a scored model must have: float32, [rows, 1]. */
export const probabilityOutput = 'probability';

/**
 * Loads a model for one thread: small models lose more to a thread pool than they gain, and several sessions would
 * otherwise fight over the cores. Synchronous inside: about 3 ms a model of 50 KB.
 *
 * @param model Its bytes, or its path when it keeps weights in files beside it: those are opened by the runtime, so
 *   their names must have been read by `readWeightFiles`.
 * @throws AppError UNPROCESSABLE with the runtime's reason.
 */
export async function createSession(model: Uint8Array | string): Promise<InferenceSession> {
  try {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Buffers are given back after each run instead of being kept at their highest size.
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: 4,
    };
    return await (typeof model === 'string'
      ? InferenceSession.create(model, options)
      : InferenceSession.create(model, options));
  } catch (error) {
    throw new AppError('UNPROCESSABLE', `The model cannot be loaded: ${reasonOf(error)}.`, {}, error);
  }
}

/**
 * Scores rows in chunks, so that memory does not grow with the batch and other work gets its turn in between.
 * The result does not depend on the chunks for the models written here.
 */
export async function runSession(
  session: InferenceSession,
  packed: PackedRows,
  chunkRows: number,
): Promise<Float32Array<ArrayBuffer>> {
  const probabilities = new Float32Array(packed.rows);
  for (let from = 0; from < packed.rows; from += chunkRows) {
    const to = Math.min(packed.rows, from + chunkRows);
    const feeds: Record<string, Tensor> = {};
    for (const column of packed.columns) feeds[column.name] = createTensor(column, from, to);
    probabilities.set(await runOnce(session, feeds, to - from), from);
  }
  return probabilities;
}

function createTensor(column: PackedColumn, from: number, to: number): Tensor {
  const shape = [to - from, 1];
  switch (column.tensor) {
    case 'float32':
      return new Tensor('float32', column.data.subarray(from, to), shape);
    case 'int64':
      return new Tensor('int64', column.data.subarray(from, to), shape);
    case 'string':
      return new Tensor('string', column.data.slice(from, to), shape);
  }
}

async function runOnce(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  rows: number,
): Promise<Float32Array> {
  let outputs: InferenceSession.OnnxValueMapType;
  try {
    outputs = await session.run(feeds, [probabilityOutput]);
  } catch (error) {
    throw new AppError('UNPROCESSABLE', `The model cannot be run: ${reasonOf(error)}.`, {}, error);
  }
  const data = outputs[probabilityOutput]?.data;
  if (!(data instanceof Float32Array) || data.length !== rows)
    throw new AppError(
      'UNPROCESSABLE',
      `The model's output "${probabilityOutput}" is not one float32 for each row.`,
    );
  return data;
}

function reasonOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.slice(0, 300).replace(/\.$/, '');
}
