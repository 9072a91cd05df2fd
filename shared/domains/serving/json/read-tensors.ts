import { z } from 'zod';
import { createCountingYielder } from '../../../core/async/yielder.ts';
import { AppError } from '../../../core/errors.ts';
import { checkShape, unknownInput } from '../check-inputs.ts';
import { showValues, type ModelValue } from '../model-value.ts';
import { showJson } from '../show-json.ts';
import { countElements, createTensor, isTensorType, type Tensor, type Tensors } from '../tensor.ts';
import { elementCodecs } from './elements.ts';

export interface TensorLimits {
  /** Of all inputs together. */
  readonly maxElements: number;
}

/** One value that does not fit. */
interface ElementProblem {
  readonly input: string;
  readonly index: readonly number[];
  readonly problem: string;
}

/** More dimensions than any operator takes. */
const maxRank = 16;
/** As in rows: an error lists this many problems. */
const maxProblems = 10;
/** Elements a turn of the event loop, about 1 ms. */
const elementsPerTurn = 20_000;

/**
 * Reads the inputs of a model from JSON, checking every value in the same pass:
 *
 *   {"X": {"data": [[1, 2], [3, 4]]}}
 *   {"X": {"type": "float32", "shape": [2, 2], "data": [1, 2, 3, 4]}}
 *
 * `type` is that of the model; to declare it makes a mistake an error. `shape` is that of the lists; it must be
 * declared where lists cannot show it (no rows) and may be declared beside a flat list. See `elementCodecs` for the
 * values.
 *
 * @param inputs What the model takes.
 * @param value As parsed from JSON: hostile.
 * @throws AppError PAYLOAD_TOO_LARGE beyond `maxElements`; INVALID_ARGUMENT for anything else, with up to 10
 *   `details.problems` that name input and index.
 */
export async function readTensors(
  inputs: readonly ModelValue[],
  value: unknown,
  { maxElements }: TensorLimits,
): Promise<Tensors> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError(
      'INVALID_ARGUMENT',
      `The inputs must be an object of tensors by name, not ${showJson(value)}.`,
    );
  const given = new Map(Object.entries(value));
  for (const name of given.keys())
    if (!inputs.some((input) => input.name === name)) throw unknownInput(inputs, name);
  const tensors = new Map<string, Tensor>();
  const problems: ElementProblem[] = [];
  let elements = 0;
  for (const input of inputs) {
    const plan = planTensor(input, given.get(input.name), maxElements - elements);
    elements += countElements(plan.tensor.shape);
    await fillTensor(plan, problems);
    tensors.set(input.name, plan.tensor);
  }
  if (problems.length > 0) throw invalidElements(problems);
  return tensors;
}

interface Plan {
  readonly name: string;
  readonly tensor: Tensor;
  readonly data: unknown;
  /** Whether `data` is one flat list, whatever the shape. */
  readonly isFlat: boolean;
}

const specSchema = z.strictObject({
  type: z.string().optional(),
  shape: z.array(z.int().min(0)).max(maxRank).optional(),
  data: z.unknown().refine((data) => data !== undefined, 'is missing'),
});

function planTensor(input: ModelValue, value: unknown, maxElements: number): Plan {
  const { name, type } = input;
  const fail = (problem: string) =>
    new AppError('INVALID_ARGUMENT', `Input "${name}" ${problem}.`, {
      problems: [{ input: name, index: [], problem }],
    });
  if (!isTensorType(type))
    throw new AppError(
      'UNPROCESSABLE',
      `The model's input ${showValues([input])} is of a type that no request can carry.`,
    );
  if (value === undefined) throw fail('is missing');
  const spec = specSchema.safeParse(value);
  if (!spec.success) throw fail(`must be {"type"?, "shape"?, "data"}: ${describeIssue(spec.error)}`);
  const { data } = spec.data;
  if (spec.data.type !== undefined && spec.data.type !== type)
    throw fail(`must be ${type}, not ${showJson(spec.data.type)}`);
  const shape = spec.data.shape ?? measure(data);
  if (shape === undefined) throw fail(`has more than ${maxRank} dimensions`);
  const problem = checkShape(input, shape);
  if (problem !== undefined)
    throw fail(
      spec.data.shape === undefined && shape.includes(0) ? `${problem}: declare its shape` : problem,
    );
  const elements = countElements(shape);
  // A shape such as [1000000000, 0] has no elements and a billion lists.
  if (countElements(shape.map((size) => size || 1)) > maxElements)
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `Input "${name}" of shape [${shape.join(', ')}] is too large; the request may have ${maxElements} more elements.`,
      { input: name, shape, maxElements },
    );
  const isFlat = spec.data.shape !== undefined && Array.isArray(data) && !Array.isArray(data[0]);
  if (isFlat && (data as readonly unknown[]).length !== elements)
    throw fail(
      `has ${(data as readonly unknown[]).length} elements, and its shape [${shape.join(', ')}] ${elements}`,
    );
  return { name, tensor: createTensor(type, shape), data, isFlat };
}

function describeIssue({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.')} ${issue?.message}`.trim();
}

/** The shape of nested lists by their first members; undefined when they nest too deeply. */
function measure(data: unknown): readonly number[] | undefined {
  const shape: number[] = [];
  for (let list = data; Array.isArray(list); list = list[0] as unknown) {
    shape.push(list.length);
    if (shape.length > maxRank) return undefined;
  }
  return shape;
}

async function fillTensor({ name, tensor, data, isFlat }: Plan, problems: ElementProblem[]): Promise<void> {
  const codec = elementCodecs[tensor.type];
  const set = (index: number, value: unknown) => codec.set(tensor.data as never, index, value);
  const shape = isFlat ? [tensor.data.length] : tensor.shape;
  const report = (index: readonly number[], problem: string) => {
    if (problems.length < maxProblems) problems.push({ input: name, index, problem });
  };
  let first = 0;
  const yieldIfDue = createCountingYielder(elementsPerTurn);
  for (const { list, index, problem } of findLeaves(shape, data)) {
    if (problem !== undefined) report(index, problem);
    for (const [at, value] of list.entries()) {
      const fault = set(first + at, value);
      if (fault !== undefined)
        report(isFlat ? toIndex(tensor.shape, at) : [...index, at].slice(0, shape.length), fault);
    }
    first += list.length;
    if (problems.length >= maxProblems) return;
    const turn = yieldIfDue(list.length + 1);
    // Awaiting undefined would cost a microtask for each list, which may have one element.
    if (turn) await turn;
  }
}

interface Leaf {
  /** The innermost list, row by row; a scalar is a list of one. */
  readonly list: readonly unknown[];
  readonly index: readonly number[];
  readonly problem?: string;
}

/** Walks nested lists that must have the given shape. Of one that does not fit, only the problem is given. */
function* findLeaves(
  shape: readonly number[],
  data: unknown,
  index: readonly number[] = [],
): Generator<Leaf> {
  const [size, ...inner] = shape;
  if (size === undefined) {
    yield { list: [data], index };
    return;
  }
  if (!Array.isArray(data)) {
    yield { list: [], index, problem: `must be a list of ${size}, not ${showJson(data)}` };
    return;
  }
  if (data.length !== size) {
    yield { list: [], index, problem: `must have ${size} elements, not ${data.length}` };
    return;
  }
  if (inner.length === 0) yield { list: data, index };
  else for (const [at, member] of data.entries()) yield* findLeaves(inner, member, [...index, at]);
}

/** The index of the nth element. */
function toIndex(shape: readonly number[], n: number): readonly number[] {
  const index: number[] = [];
  let rest = n;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

function invalidElements(problems: readonly ElementProblem[]): AppError {
  const [first] = problems as [ElementProblem];
  const where = first.index.length === 0 ? '' : `[${first.index.join(', ')}]`;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AppError('INVALID_ARGUMENT', `Input "${first.input}"${where} ${first.problem}${more}.`, {
    problems,
  });
}
