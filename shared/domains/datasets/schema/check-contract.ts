import type { Column, ColumnType } from './column.ts';
import { isNumbered, isSimilarName } from '../../../core/similar-names.ts';
import { parseDecimal } from './strict-types.ts';

/** A column of a file. Text has no `type` where the contract already says it: each row is checked against that. */
export interface IncomingColumn {
  readonly name: string;
  readonly type?: ColumnType;
  readonly note?: string;
}

export interface ContractProblem {
  readonly kind: 'NARROWED' | 'RENAMED' | 'MISSING' | 'OTHER_CASE' | 'TWICE';
  readonly column: string;
  /** For people: what is wrong, and what to do. */
  readonly message: string;
}

export interface ContractCheck {
  /** The columns from now on: those there are, then the added. */
  readonly columns: readonly Column[];
  readonly added: readonly Column[];
  /** When there is one, nothing of the file is taken. */
  readonly problems: readonly ContractProblem[];
}

/**
 * Whether a file keeps to the columns that a dataset has. New columns are added at the end, nullable; a nullable
 * column that the file does not have is null in its rows; a type that the dataset's type holds without loss is fine.
 * Everything else is a problem: a type that does not fit, a name in another case, what looks like a rename (a similar
 * name, or the same type in the same place), a column that may not be null and is not there.
 *
 * @example
 * checkContract([{ name: 'id', type: 'int64', nullable: true }], [{ name: 'ID' }]).problems[0].kind // 'OTHER_CASE'
 */
export function checkContract(
  current: readonly Column[],
  incoming: readonly IncomingColumn[],
): ContractCheck {
  const problems: ContractProblem[] = [];
  const known = new Map(current.map((column) => [column.name, column]));
  const folded = new Map(current.map(({ name }) => [name.toLowerCase(), name]));
  const present = new Set(incoming.map(({ name }) => name));
  const missing = current.filter(({ name }) => !present.has(name));
  const added: Column[] = [];
  const seen = new Map<string, string>();
  for (const [index, column] of incoming.entries()) {
    const { name, type, note } = column;
    const lower = name.toLowerCase();
    const twin = seen.get(lower);
    seen.set(lower, name);
    const there = known.get(name);
    if (twin !== undefined) problems.push(tellTwice(twin, name));
    else if (there) {
      if (type !== undefined && !isLossless(type, there.type)) problems.push(tellNarrowed(there, type));
    } else if (folded.has(lower)) problems.push(tellOtherCase(folded.get(lower)!, name));
    else {
      const renamed = missing.find((gone) => isRename(gone, column, current[index] === gone));
      if (renamed) problems.push(tellRenamed(renamed.name, name));
      else
        added.push({ name, type: type ?? 'string', nullable: true, ...(note === undefined ? {} : { note }) });
    }
  }
  const explained = new Set(problems.map(({ column }) => column));
  for (const { name, nullable } of missing)
    if (!nullable && !explained.has(name)) problems.push(tellMissing(name));
  return { columns: [...current, ...added], added, problems };
}

/**
 * Whether each value of a type is a value of another, or is refused row by row where it is not: an int64 may be too
 * big for a double or a decimal, and such a row is a bad one.
 *
 * @example
 * isLossless('int64', 'decimal(18,2)') // true
 * isLossless('double', 'int64') // false
 */
export function isLossless(from: ColumnType, to: ColumnType): boolean {
  if (from === to || to === 'string') return from !== 'binary' || to === 'binary';
  if (from === 'date') return to === 'timestamp';
  if (from === 'int64') return to === 'double' || to.startsWith('decimal');
  if (from.startsWith('decimal') && to.startsWith('decimal'))
    return parseDecimal(from).scale <= parseDecimal(to).scale;
  return false;
}

/** @param isInPlace the new column stands where the missing one stood */
function isRename(gone: Column, added: IncomingColumn, isInPlace: boolean): boolean {
  const couldBe = added.type === undefined || isLossless(added.type, gone.type);
  return (
    couldBe &&
    (isSimilarName(gone.name, added.name) ||
      (isInPlace && added.type === gone.type && !isNumbered(gone.name, added.name)))
  );
}

const show = (name: string) => JSON.stringify(name);

function tellTwice(first: string, second: string): ContractProblem {
  return {
    kind: 'TWICE',
    column: second,
    message: `The columns ${show(first)} and ${show(second)} differ in case at most, and would be one: rename one of them.`,
  };
}

function tellOtherCase(there: string, name: string): ContractProblem {
  return {
    kind: 'OTHER_CASE',
    column: there,
    message: `The column ${show(name)} is called ${show(there)} in the dataset: write it just so.`,
  };
}

function tellRenamed(gone: string, name: string): ContractProblem {
  return {
    kind: 'RENAMED',
    column: gone,
    message: `The column ${show(gone)} is not there, and ${show(name)} looks like a rename of it: call it ${show(gone)}, or keep ${show(gone)}, empty, beside it.`,
  };
}

function tellMissing(name: string): ContractProblem {
  return {
    kind: 'MISSING',
    column: name,
    message: `The column ${show(name)} is not there, and it may not be null: add it.`,
  };
}

function tellNarrowed({ name, type }: Column, incoming: ColumnType): ContractProblem {
  return {
    kind: 'NARROWED',
    column: name,
    message: `The column ${show(name)} holds ${type} and would get ${incoming}, which does not fit without loss: write it as ${type}, or put it into a column of another name.`,
  };
}
