import { AppError } from '../../../core/errors.ts';
import { computeMoments } from '../../../core/stats/moments.ts';
import type { FeatureColumn, LinearTerm, TrainingTable } from '../entities.ts';
import { type CategoricalColumn, countCategories, pickKeys } from './categories.ts';

/** The nonzeros of one row of the design matrix, by ascending column; column 0 is the intercept's. */
export interface SparseRow {
  readonly columns: Int32Array;
  readonly values: Float64Array;
  length: number;
}

/** One feature's share of the design matrix. */
interface DesignTerm {
  readonly width: number;
  /** Appends the row's nonzero of this feature, if it has one. */
  append(row: number, into: SparseRow): void;
  /** The fitted weights, as the model keeps them. */
  toModelTerm(weights: Float64Array): LinearTerm;
}

export interface Design {
  /** Columns of the design matrix, the intercept included. */
  readonly width: number;
  readonly terms: readonly DesignTerm[];
}

/** Newton's method keeps width² doubles: 128 MB for this many. */
const maxWidth = 4000;

/**
 * Lays out the columns of the design matrix, from the training rows alone. The matrix itself is never built: a
 * row has at most one nonzero a feature, so rows are built on demand.
 *
 * @throws AppError UNPROCESSABLE when a feature never has a value, or the design would be too wide.
 */
export function createDesign(
  { features }: Pick<TrainingTable<'binary'>, 'features'>,
  rows: Int32Array,
  minCategoryRows: number,
): Design {
  const terms: DesignTerm[] = [];
  let width = 1;
  for (const feature of features) {
    const term =
      feature.kind === 'numeric'
        ? createNumericTerm(feature, rows, width)
        : createCategoricalTerm(feature, rows, width, minCategoryRows);
    terms.push(term);
    width += term.width;
    if (width > maxWidth)
      throw new AppError(
        'UNPROCESSABLE',
        `The features have more than ${maxWidth} weights up to "${feature.name}": raise minCategoryRows, or leave out a feature with many categories.`,
        { feature: feature.name, maxWidth },
      );
  }
  return { width, terms };
}

export function createSparseRow(design: Design): SparseRow {
  const capacity = design.terms.length + 1;
  return { columns: new Int32Array(capacity), values: new Float64Array(capacity), length: 0 };
}

export function fillRow(design: Design, row: number, into: SparseRow): void {
  into.columns[0] = 0;
  into.values[0] = 1;
  into.length = 1;
  for (const term of design.terms) term.append(row, into);
}

function push(into: SparseRow, column: number, value: number): void {
  into.columns[into.length] = column;
  into.values[into.length] = value;
  into.length += 1;
}

type NumericColumn = Extract<FeatureColumn, { kind: 'numeric' }>;

/** A missing number counts as the mean (0 once standardised), plus an indicator if any training row lacks one. */
function createNumericTerm({ name, values }: NumericColumn, rows: Int32Array, first: number): DesignTerm {
  const { count, mean, deviation } = computeMoments(values, rows);
  if (count === 0) throw neverSeen(name);
  // A constant column: its only standardised value is 0, and so its weight stays 0.
  const scale = deviation > 0 ? deviation : 1;
  const hasMissing = count < rows.length;
  return {
    width: hasMissing ? 2 : 1,
    append: (row, into) => {
      const x = values[row]!;
      if (!Number.isNaN(x)) push(into, first, (x - mean) / scale);
      else if (hasMissing) push(into, first + 1, 1);
    },
    toModelTerm: (weights) => ({
      kind: 'numeric',
      name,
      centre: mean,
      weight: weights[first]! / scale,
      missing: hasMissing ? weights[first + 1]! : 0,
    }),
  };
}

/** One column a category with enough rows, in the order of the keys, then one for all rare categories. */
function createCategoricalTerm(
  column: CategoricalColumn,
  rows: Int32Array,
  first: number,
  minRows: number,
): DesignTerm {
  const { name, codes, keys } = column;
  const counts = countCategories(column, rows);
  const common = counts.reduce((sum, count) => sum + (count >= minRows ? 1 : 0), 0);
  let next = first;
  let hasRare = false;
  const columnOf = Int32Array.from(counts, (count) => {
    if (count >= minRows) return next++;
    if (count === 0) return -1;
    hasRare = true;
    return first + common;
  });
  const width = common + (hasRare ? 1 : 0);
  if (width === 0) throw neverSeen(name);
  const seen = Array.from(columnOf.keys()).filter((code) => columnOf[code]! >= 0);
  return {
    width,
    append: (row, into) => {
      const at = columnOf[codes[row]!] ?? -1;
      if (at >= 0) push(into, at, 1);
    },
    toModelTerm: (weights) => ({
      kind: 'categorical',
      name,
      keys: pickKeys(keys, seen),
      weights: seen.map((code) => weights[columnOf[code] as number]!),
    }),
  };
}

function neverSeen(name: string): AppError {
  return new AppError('UNPROCESSABLE', `Feature "${name}" has no value in any training row.`, {
    feature: name,
  });
}
