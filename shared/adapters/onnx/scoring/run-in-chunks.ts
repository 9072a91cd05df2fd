import { AppError } from '../../../core/errors.ts';
import { createTensor, type Tensor, type Tensors } from '../../../domains/serving/tensor.ts';
import type { ScoreRun } from './score-protocol.ts';
import type { Session } from '../sessions/session.ts';

/**
 * Runs a model. Rows run in chunks, so that memory does not grow with the batch and other work gets its turn in
 * between; for models that answer each row alone, the result does not depend on the chunks.
 *
 * @throws AppError as `Session.run`; UNPROCESSABLE when an output of more than one chunk does not have a value for each
 *   row.
 */
export async function runInChunks(
  session: Session,
  { inputs, outputs, rows }: ScoreRun,
  chunkRows: number,
): Promise<Tensors> {
  if (rows === undefined || rows <= chunkRows) return session.run(inputs, outputs);
  const whole = new Map<string, Tensor>();
  for (let from = 0; from < rows; from += chunkRows) {
    const to = Math.min(rows, from + chunkRows);
    const chunk = new Map(Array.from(inputs, ([name, tensor]) => [name, slice(tensor, from, to)]));
    for (const [name, tensor] of await session.run(chunk, outputs)) {
      const { type, shape } = tensor;
      const target = whole.get(name) ?? createTensor(type, [rows, ...shape.slice(1)]);
      whole.set(name, target);
      if (shape[0] !== to - from || !isSameRow(target, tensor)) throw notByRow(name, rows);
      put(target, tensor, from);
    }
  }
  return whole;
}

function widthOf({ shape, data }: Tensor): number {
  return data.length / (shape[0] ?? 1);
}

function slice(tensor: Tensor, from: number, to: number): Tensor {
  const width = widthOf(tensor);
  const { type, shape, data } = tensor;
  const part =
    type === 'string' ? data.slice(from * width, to * width) : data.subarray(from * width, to * width);
  return { type, shape: [to - from, ...shape.slice(1)], data: part } as Tensor;
}

function put(target: Tensor, part: Tensor, row: number): void {
  const first = row * widthOf(target);
  if (target.type === 'string')
    for (const [index, text] of part.data.entries()) target.data[first + index] = String(text);
  else target.data.set(part.data as never, first);
}

function isSameRow(a: Tensor, b: Tensor): boolean {
  return (
    a.type === b.type &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, index) => index === 0 || size === b.shape[index])
  );
}

function notByRow(name: string, rows: number): AppError {
  return new AppError('UNPROCESSABLE', `The model's output "${name}" does not have a value for each row.`, {
    output: name,
    rows,
  });
}
