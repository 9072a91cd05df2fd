import { yieldToEventLoop } from '../../core/async/yielder.ts';
import { AppError } from '../../core/errors.ts';
import { parseTimestamp, partOfTimestamp } from '../../core/timestamps.ts';
import { checkText } from './check-text.ts';
import { shorten, showJson } from './show-json.ts';
import type { ColumnType, Signature, SignatureInput } from './signature.ts';
import type { Tensor, Tensors } from './tensor.ts';

/** A column of a model's input, ready to be a tensor of shape [rows, 1]. */
export type PackedColumn =
  | { readonly name: string; readonly tensor: 'float32'; readonly data: Float32Array<ArrayBuffer> }
  | { readonly name: string; readonly tensor: 'int64'; readonly data: BigInt64Array<ArrayBuffer> }
  | { readonly name: string; readonly tensor: 'string'; readonly data: string[] };

export interface PackedRows {
  readonly rows: number;
  readonly columns: readonly PackedColumn[];
}

/** The inputs of the model, each a tensor of shape [rows, 1]. */
export function toInputs({ rows, columns }: PackedRows): Tensors {
  const shape = [rows, 1];
  return new Map(columns.map(({ name, tensor, data }) => [name, { type: tensor, shape, data } as Tensor]));
}

/** One value that does not fit; `row` counts from 0. */
interface RowProblem {
  readonly row: number;
  readonly column: string;
  readonly problem: string;
}

export interface PackLimits {
  readonly maxRows: number;
}

/** A missing category as a text and a missing calendar part as a number: values that no training sees. */
const missingText = '';
const missingPart = -1n;
/** Keeps the answer short when every row is wrong. */
const maxProblems = 10;

/**
 * Checks rows against a signature and fills the model's inputs in the same pass. Every column is required; null is a
 * missing value, which the model handles as it learnt to. Derivations (calendar parts, float32 rounding, category
 * texts) are those of training.
 *
 * @param rows As parsed from JSON: hostile.
 * @throws AppError PAYLOAD_TOO_LARGE beyond `maxRows`; INVALID_ARGUMENT for anything else, with up to 10
 *   `details.problems` that name row and column.
 * @example
 * const signature = {
 *   columns: [{ name: 'distance', type: 'number' }],
 *   inputs: [{ name: 'distance', tensor: 'float32', column: 'distance' }],
 * };
 * packRows(signature, [{ distance: 1846 }], { maxRows: 1000 }).columns[0]?.data // Float32Array.of(1846)
 */
export function packRows(signature: Signature, rows: unknown, limits: PackLimits): PackedRows {
  const packing = startPacking(signature, rows, limits);
  packing.fill(0, packing.rows);
  return packing.end();
}

/** Rows a turn of the event loop, about 1 ms. */
const sliceRows = 500;

/** As `packRows`, yielding to the event loop after every 500 rows. */
export async function packRowsInSlices(
  signature: Signature,
  rows: unknown,
  limits: PackLimits,
): Promise<PackedRows> {
  const packing = startPacking(signature, rows, limits);
  for (let from = 0; from < packing.rows; from += sliceRows) {
    if (from > 0) await yieldToEventLoop();
    packing.fill(from, Math.min(from + sliceRows, packing.rows));
  }
  return packing.end();
}

interface Packing {
  readonly rows: number;
  fill(from: number, to: number): void;
  end(): PackedRows;
}

function startPacking(signature: Signature, rows: unknown, { maxRows }: PackLimits): Packing {
  if (!Array.isArray(rows) || rows.length === 0)
    throw new AppError('INVALID_ARGUMENT', 'The rows must be a list of at least one object.');
  if (rows.length > maxRows)
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `There are ${rows.length} rows; one request may have ${maxRows}.`,
      { rows: rows.length, maxRows },
    );
  const plan = planFor(signature);
  const columns = signature.inputs.map((input) => createColumn(input, rows.length));
  const problems: RowProblem[] = [];
  return {
    rows: rows.length,
    fill: (from, to) => {
      for (let row = from; row < to && problems.length < maxProblems; row++)
        fillRow(plan, rows[row], row, columns, problems);
    },
    end: () => {
      if (problems.length > 0) throw invalidRows(problems);
      return { rows: rows.length, columns };
    },
  };
}

interface PlannedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly inputs: readonly { readonly index: number; readonly input: SignatureInput }[];
}

interface Plan {
  readonly columns: readonly PlannedColumn[];
  readonly names: ReadonlySet<string>;
}

const plans = new WeakMap<Signature, Plan>();

function planFor(signature: Signature): Plan {
  let plan = plans.get(signature);
  if (plan === undefined) {
    const inputs = signature.inputs.map((input, index) => ({ index, input }));
    plan = {
      columns: signature.columns.map(({ name, type }) => ({
        name,
        type,
        inputs: inputs.filter(({ input }) => input.column === name),
      })),
      names: new Set(signature.columns.map(({ name }) => name)),
    };
    plans.set(signature, plan);
  }
  return plan;
}

function createColumn({ name, tensor }: SignatureInput, rows: number): PackedColumn {
  switch (tensor) {
    case 'float32':
      return { name, tensor, data: new Float32Array(rows) };
    case 'int64':
      return { name, tensor, data: new BigInt64Array(rows) };
    case 'string':
      return { name, tensor, data: Array.from({ length: rows }, () => missingText) };
  }
}

function fillRow(
  plan: Plan,
  value: unknown,
  row: number,
  columns: readonly PackedColumn[],
  problems: RowProblem[],
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({ row, column: '', problem: `must be an object, not ${showJson(value)}` });
    return;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const { name, type, inputs } of plan.columns) {
    const cell = Object.hasOwn(record, name) ? record[name] : undefined;
    const read = cell === undefined ? 'is missing' : readCell(cell, type);
    if (typeof read === 'string') problems.push({ row, column: name, problem: read });
    else
      for (const { index, input } of inputs) {
        const problem = fillCell(columns[index]!, row, read.value, input);
        if (problem !== undefined) problems.push({ row, column: name, problem });
      }
  }
  for (const name of Object.keys(record)) {
    if (plan.names.has(name)) continue;
    // One row may have a million of them.
    if (problems.length >= maxProblems) return;
    problems.push({
      row,
      column: shorten(name),
      problem: `is not a column of this model (${[...plan.names].join(', ')})`,
    });
  }
}

/** A value that fits: a number (for a timestamp, its epoch milliseconds), a text, a truth value or null. */
type Cell = { readonly value: number | string | boolean | null };

/** @returns The value, or what is wrong with it. */
function readCell(cell: unknown, type: ColumnType): Cell | string {
  if (cell === null) return { value: null };
  switch (type) {
    case 'number':
      if (typeof cell !== 'number') return `must be a number or null, not ${showJson(cell)}`;
      if (!Number.isFinite(Math.fround(cell)))
        return `must be a finite number within float32, not ${cell}; a missing one is null`;
      return { value: cell };
    case 'integer':
      return Number.isSafeInteger(cell)
        ? { value: cell as number }
        : `must be a whole number or null, not ${showJson(cell)}`;
    case 'string':
      return typeof cell === 'string'
        ? (checkText(cell) ?? { value: cell })
        : `must be a text or null, not ${showJson(cell)}`;
    case 'boolean':
      return typeof cell === 'boolean'
        ? { value: cell }
        : `must be true, false or null, not ${showJson(cell)}`;
    case 'timestamp': {
      const epochMs = typeof cell === 'string' ? parseTimestamp(cell) : undefined;
      return epochMs === undefined
        ? `must be an ISO 8601 date and time such as "2001-07-04T18:30:00Z", or null, not ${showJson(cell)}`
        : { value: epochMs };
    }
  }
}

/** @returns What is wrong, if anything. */
function fillCell(
  column: PackedColumn,
  row: number,
  value: number | string | boolean | null,
  { part }: SignatureInput,
): string | undefined {
  switch (column.tensor) {
    case 'float32':
      column.data[row] =
        value === null ? NaN : part === undefined ? Number(value) : partOfTimestamp(Number(value), part);
      return undefined;
    case 'int64':
      if (part !== undefined)
        column.data[row] = value === null ? missingPart : BigInt(partOfTimestamp(Number(value), part));
      else if (value === null) return 'may not be null: this model takes it as a whole number';
      else column.data[row] = BigInt(value);
      return undefined;
    case 'string':
      column.data[row] = value === null ? missingText : String(value);
      return undefined;
  }
}

function invalidRows(problems: readonly RowProblem[]): AppError {
  const [first] = problems as [RowProblem];
  const where = first.column === '' ? `Row ${first.row}` : `Row ${first.row}, column "${first.column}"`;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AppError('INVALID_ARGUMENT', `${where} ${first.problem}${more}.`, {
    problems: problems.slice(0, maxProblems),
  });
}
