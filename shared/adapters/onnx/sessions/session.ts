import { InferenceSession } from 'onnxruntime-node';
import { AppError } from '../../../core/errors.ts';
import { showValues, type ModelValue } from '../../../domains/serving/model-value.ts';
import { isTensorType, type Tensors } from '../../../domains/serving/tensor.ts';
import { fromRuntimeTensor, toRuntimeTensor } from './runtime-tensors.ts';

/** A model loaded into the runtime. */
export interface Session {
  /** The outputs that the runtime can return. */
  readonly answerable: readonly string[];
  /**
   * @param outputs The names of the outputs to compute; no others are.
   * @throws AppError UNPROCESSABLE when the model fails, or when an output is of a type that the runtime cannot return.
   */
  run(inputs: Tensors, outputs: readonly string[]): Promise<Tensors>;
  release(): Promise<void>;
}

/**
 * Loads a model for one thread: small models lose more to a thread pool than they gain, and several sessions would
 * otherwise fight over the cores. Synchronous inside: about 3 ms for a model of 50 KB.
 *
 * @param model Its bytes, or its path when it keeps weights in files beside it: those are opened by the runtime, so
 *   their names must have been checked by `readWeightFiles`.
 * @throws AppError UNPROCESSABLE with the runtime's reason.
 */
export async function createSession(model: Uint8Array | string): Promise<Session> {
  const session = await load(model);
  const known = session.outputMetadata.map(toValue);
  return {
    answerable: known.filter(({ type }) => isTensorType(type)).map(({ name }) => name),
    run: async (inputs, outputs) => {
      checkOutputs(known, outputs);
      const feeds = Object.create(null) as Record<string, ReturnType<typeof toRuntimeTensor>>;
      for (const [name, tensor] of inputs) feeds[name] = toRuntimeTensor(tensor);
      const found = await runOnce(session, feeds, outputs);
      return new Map(outputs.map((name) => [name, fromRuntimeTensor(name, found[name])]));
    },
    release: () => session.release(),
  };
}

async function load(model: Uint8Array | string): Promise<InferenceSession> {
  try {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Frees buffers after each run instead of keeping the largest ones.
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

async function runOnce(
  session: InferenceSession,
  feeds: InferenceSession.OnnxValueMapType,
  outputs: readonly string[],
): Promise<InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds, outputs);
  } catch (error) {
    throw new AppError('UNPROCESSABLE', `The model cannot be run: ${reasonOf(error)}.`, {}, error);
  }
}

/** The runtime's view, after it has inferred what the file leaves out. */
function toValue(metadata: InferenceSession.ValueMetadata): ModelValue {
  return metadata.isTensor
    ? { name: metadata.name, type: metadata.type, shape: metadata.shape.map((size) => size || '?') }
    : { name: metadata.name, type: 'not a tensor', shape: null };
}

/**
 * The runtime aborts the whole process on an output of int4 or uint4, and throws on sequences and maps.
 *
 * @throws AppError UNPROCESSABLE, before the run.
 */
function checkOutputs(known: readonly ModelValue[], wanted: readonly string[]): void {
  for (const name of wanted) {
    const value = known.find((output) => output.name === name);
    if (value !== undefined && isTensorType(value.type)) continue;
    const answerable = known.filter(({ type }) => isTensorType(type));
    throw new AppError(
      'UNPROCESSABLE',
      value === undefined
        ? `The model has no output "${name}"; it has ${showValues(known)}.`
        : `The output ${showValues([value])} cannot be answered. ${remedyFor(value, answerable)}`,
      { output: name },
    );
  }
}

function remedyFor({ type }: ModelValue, answerable: readonly ModelValue[]): string {
  const others =
    answerable.length === 0
      ? 'The model has no other.'
      : `Name the outputs that you want: ${showValues(answerable)}.`;
  return type === 'not a tensor'
    ? `${others} To convert a classifier of scikit-learn without maps, set options={"zipmap": False}.`
    : others;
}

function reasonOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.slice(0, 300).replace(/\.$/, '');
}
