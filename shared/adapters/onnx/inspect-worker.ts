import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, isAppError } from '../../core/errors.ts';
import type { PackedColumn } from '../../domains/serving/pack-rows.ts';
import type { ModelDescription } from '../../domains/serving/scorer.ts';
import type { InspectAnswer, InspectTask } from './inspect-protocol.ts';
import { refuseWeightFiles } from './external-data.ts';
import { readModel } from './read-model.ts';
import { createSession, probabilityOutput, runSession } from './run-session.ts';

/** A thread of its own for one model from outside: reading, loading and running it can each take a while. */
if (parentPort === null) throw new Error('this module runs in a worker thread only');
const port = parentPort;
const { path, hasWeights } = workerData as InspectTask;
void inspect().then((answer) => port.postMessage(answer));

async function inspect(): Promise<InspectAnswer> {
  let description: ModelDescription | undefined;
  try {
    const bytes = readFileSync(path);
    description = readModel(bytes);
    const { weightFiles } = description;
    if (weightFiles.length > 0 && !hasWeights)
      return { type: 'needsWeights', files: weightFiles, signature: toSignature(description) };
    const session = await createSession(weightFiles.length > 0 ? path : bytes);
    try {
      checkRows(description);
      await runSession(session, { rows: 1, columns: description.inputs.map(toBlankColumn) }, 1);
    } finally {
      await session.release();
    }
    if (weightFiles.length > 0) throw refuseWeightFiles();
    return { type: 'found', found: { serving: { status: 'ready' }, signature: toSignature(description) } };
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

function toSignature({ inputs, outputs, opsets, irVersion, producer }: ModelDescription) {
  return { inputs, outputs, opsets, irVersion, producer };
}

/** @throws UNPROCESSABLE when rows of single values cannot be scored by it */
function checkRows({ inputs, outputs, signature }: ModelDescription): void {
  const show = (values: ModelDescription['inputs']) =>
    values.map(({ name, type, shape }) => `${name} (${type} [${shape.join(', ')}])`).join(', ');
  const isColumn = (shape: readonly (number | string)[]) => shape.length === 2 && shape[1] === 1;
  if (signature === null || !inputs.every(({ shape }) => isColumn(shape)))
    throw new AppError(
      'UNPROCESSABLE',
      `Rows cannot be its inputs: each must be one column, [rows, 1], of float32, int64 or string. It has: ${show(inputs)}.`,
    );
  if (!outputs.some(({ name, type }) => name === probabilityOutput && type === 'float32'))
    throw new AppError(
      'UNPROCESSABLE',
      `It has no float32 output "${probabilityOutput}". It has: ${show(outputs)}.`,
    );
}

function toBlankColumn({ name, type }: { readonly name: string; readonly type: string }): PackedColumn {
  switch (type) {
    case 'float32':
      return { name, tensor: 'float32', data: new Float32Array(1) };
    case 'int64':
      return { name, tensor: 'int64', data: new BigInt64Array(1) };
    default:
      return { name, tensor: 'string', data: [''] };
  }
}
