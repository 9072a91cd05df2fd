import { readFileSync } from 'node:fs';
import { AppError, isAppError } from '../../../core/errors.ts';
import { serveJobs } from '../../../core/worker/serve-jobs.ts';
import { showValues } from '../../../domains/serving/model-value.ts';
import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import { findTask } from '../../../domains/serving/tasks/catalog.ts';
import { countElements, createTensor, isTensorType, type Tensors } from '../../../domains/serving/tensor.ts';
import { refuseWeightFiles } from '../files/external-data.ts';
import type { InspectAnswer, InspectedFile, InspectJobs, InspectTask } from './inspect-protocol.ts';
import { readModel } from '../files/read-model.ts';
import { createSession, type Session } from '../sessions/session.ts';

/** A blank input of more elements is not tried. */
const maxBlankElements = 10_000_000;

/** Opens one model: reading, loading and running it can each take a while, and it can take the thread with it. */
export function runInspectWorker(): void {
  serveJobs<InspectJobs>({ inspect });
}

async function inspect({ path, hasWeights }: InspectTask): Promise<InspectAnswer> {
  let description: ModelDescription | undefined;
  try {
    const bytes = readFileSync(path);
    description = readModel(bytes);
    const { weightFiles } = description;
    if (weightFiles.length > 0 && !hasWeights)
      return { type: 'needsWeights', files: weightFiles, signature: toSignature(description) };
    const serving = await tryModel(weightFiles.length > 0 ? path : bytes, description);
    if (weightFiles.length > 0) throw refuseWeightFiles();
    return { type: 'found', found: { serving, signature: toSignature(description) } };
  } catch (error) {
    if (!isAppError(error, 'UNPROCESSABLE')) throw error;
    return {
      type: 'found',
      found: {
        serving: { status: 'unservable', reason: error.message },
        ...(description === undefined ? {} : { signature: toSignature(description) }),
      },
    };
  }
}

/**
 * Loads a model and runs it once on a blank row.
 *
 * @throws AppError UNPROCESSABLE when it cannot be served.
 */
async function tryModel(
  model: Uint8Array | string,
  description: ModelDescription,
): Promise<InspectedFile['serving']> {
  const session = await createSession(model);
  try {
    const outputs = pickOutputs(description, session);
    const inputs = createBlankInputs(description);
    if (inputs === undefined)
      return { status: 'notChecked', reason: 'It was loaded, but its inputs are too large for a trial run.' };
    return await runBlank(session, inputs, outputs, description);
  } finally {
    await session.release();
  }
}

/** @throws AppError UNPROCESSABLE when it fails on a blank row. */
async function runBlank(
  session: Session,
  inputs: Tensors,
  outputs: readonly string[],
  { signature }: ModelDescription,
): Promise<InspectedFile['serving']> {
  try {
    await session.run(inputs, outputs);
    return { status: 'ready' };
  } catch (error) {
    // A blank row is a row. A tensor with ones for its free dimensions may be nonsense, so it proves nothing.
    if (signature !== null || !isAppError(error, 'UNPROCESSABLE')) throw error;
    return { status: 'notChecked', reason: `It was loaded, but failed on a blank input. ${error.message}` };
  }
}

/**
 * The outputs of its task, or all that can be answered.
 *
 * @throws AppError UNPROCESSABLE when they cannot be.
 */
function pickOutputs({ outputs, task }: ModelDescription, { answerable }: Session): readonly string[] {
  const wanted = findTask(task).outputs(task);
  const missing = wanted.find((name) => !answerable.includes(name));
  if (missing === undefined && answerable.length > 0) return wanted.length > 0 ? wanted : answerable;
  throw new AppError(
    'UNPROCESSABLE',
    `It has no output ${missing === undefined ? '' : `"${missing}" `}that can be answered. It has: ${showValues(outputs)}.`,
  );
}

/**
 * @returns Undefined when they would be too large.
 * @throws AppError UNPROCESSABLE when an input is of a type that no request can carry.
 */
function createBlankInputs({ inputs, signature }: ModelDescription): Tensors | undefined {
  const shapes = inputs.map(({ shape }) => {
    if (shape === null) return signature === null ? [] : [1, 1];
    return shape.map((size) => (typeof size === 'number' ? size : 1));
  });
  if (shapes.reduce((sum, shape) => sum + countElements(shape), 0) > maxBlankElements) return undefined;
  return new Map(
    inputs.map((input, index) => {
      if (!isTensorType(input.type))
        throw new AppError('UNPROCESSABLE', `No request can carry its input ${showValues([input])}.`);
      return [input.name, createTensor(input.type, shapes[index]!)];
    }),
  );
}

function toSignature({ inputs, outputs, opsets, irVersion, producer }: ModelDescription) {
  const known = (values: ModelDescription['inputs']) =>
    values.map((value) => ({ ...value, shape: value.shape ?? [] }));
  return { inputs: known(inputs), outputs: known(outputs), opsets, irVersion, producer };
}
