import { AppError } from '../../../core/errors.ts';
import { choleskyFactor, choleskySolve } from '../../../core/stats/cholesky.ts';
import { sigmoid, softplus } from '../../../core/stats/logistic.ts';
import type { FitReport } from '../entities.ts';
import type { FitHooks } from '../trainer.ts';
import { createSparseRow, fillRow, type Design } from './logistic-design.ts';

interface NewtonOptions {
  readonly l2: number;
  readonly maxIterations: number;
  readonly tolerance: number;
}

/** The objective at some weights, with its first and second derivatives. */
interface Curvature {
  objective: number;
  readonly gradient: Float64Array;
  /** width x width, row by row, the lower triangle. */
  readonly hessian: Float64Array;
}

/**
 * Newton's method with step halving, from zero weights. It stops when half the squared Newton decrement, which
 * estimates how far the objective is above its minimum, falls below `tolerance` times the objective. Rows are
 * always summed in the same order, in one thread: the result is the same to the bit.
 *
 * @see Boyd & Vandenberghe, Convex Optimization, 2004, algorithm 9.5
 */
export async function minimise(
  design: Design,
  labels: Uint8Array,
  rows: Int32Array,
  { l2, maxIterations, tolerance }: NewtonOptions,
  hooks: Pick<FitHooks, 'onIteration'>,
): Promise<{ readonly weights: Float64Array; readonly report: FitReport }> {
  const { width } = design;
  let weights: Float64Array = new Float64Array(width);
  let here = createCurvature(width);
  let there = createCurvature(width);
  measure(design, labels, rows, weights, l2, here);
  let converged = false;
  let iterations = 0;
  while (!converged && iterations < maxIterations) {
    const step = solveStep(here, width);
    converged = 0.5 * dot(step, here.gradient) <= tolerance * here.objective;
    // The last step is taken too: it is computed, and next to the minimum it squares the error. Whole or not at
    // all, though: if it does not go down there, rounding is all that is left.
    const smallest = converged ? 1 : smallestStep;
    let size = 1;
    let candidate = weights;
    do {
      candidate = weights.map((weight, i) => weight - size * step[i]!);
      measure(design, labels, rows, candidate, l2, there);
      size /= 2;
    } while (there.objective > here.objective && size > smallest);
    iterations += 1;
    await hooks.onIteration({ iteration: iterations, maxIterations, objective: here.objective });
    // Not even a tiny step goes down: where we are is as good as it gets.
    if (there.objective > here.objective) break;
    weights = candidate;
    [here, there] = [there, here];
  }
  return { weights, report: { iterations, converged, objective: here.objective, parameters: width } };
}

const smallestStep = 1e-9;

function createCurvature(width: number): Curvature {
  return { objective: 0, gradient: new Float64Array(width), hessian: new Float64Array(width * width) };
}

/** One pass over the rows. */
function measure(
  design: Design,
  labels: Uint8Array,
  rows: Int32Array,
  weights: Float64Array,
  l2: number,
  into: Curvature,
): void {
  const { gradient, hessian } = into;
  const { width } = design;
  gradient.fill(0);
  hessian.fill(0);
  let objective = 0;
  const sparse = createSparseRow(design);
  const { columns, values } = sparse;
  for (const row of rows) {
    fillRow(design, row, sparse);
    let z = 0;
    for (let i = 0; i < sparse.length; i++) z += weights[columns[i]!]! * values[i]!;
    const isPositive = labels[row] === 1;
    objective += softplus(isPositive ? -z : z);
    const p = sigmoid(z);
    const residual = isPositive ? p - 1 : p;
    const curvature = p * (1 - p);
    for (let i = 0; i < sparse.length; i++) {
      const column = columns[i]!;
      const value = values[i]!;
      gradient[column] = gradient[column]! + residual * value;
      const scaled = curvature * value;
      for (let j = 0; j <= i; j++) {
        const at = column * width + columns[j]!;
        hessian[at] = hessian[at]! + scaled * values[j]!;
      }
    }
  }
  // The intercept, column 0, is free.
  for (let i = 1; i < width; i++) {
    const weight = weights[i]!;
    objective += 0.5 * l2 * weight * weight;
    gradient[i] = gradient[i]! + l2 * weight;
    hessian[i * width + i] = hessian[i * width + i]! + l2;
  }
  into.objective = objective;
}

/** The Newton step H⁻¹g; `here.hessian` is used up. */
function solveStep(here: Curvature, width: number): Float64Array {
  if (!choleskyFactor(here.hessian, width))
    throw new AppError(
      'UNPROCESSABLE',
      'The fit broke down: its equations are singular to working precision. A larger l2 helps.',
    );
  const step = here.gradient.slice();
  choleskySolve(here.hessian, width, step);
  return step;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += value * b[i]!;
  return sum;
}
