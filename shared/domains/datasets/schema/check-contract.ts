import type { Column, ColumnType } from './column.ts';
import { isNumbered, isSimilarName } from '../../../core/names/similar-names.ts';
import { parseDecimal } from './strict-types.ts';

/** A column of a file. Has no `type` if the contract gives it, and each value of a text file is checked against it. */
export interface IncomingColumn {
  readonly name: string;
  readonly type?: ColumnType;
  readonly note?: string;
}

export interface ContractProblem {
  readonly kind: 'NARROWED' | 'RENAMED' | 'MISSING' | 'OTHER_CASE' | 'TWICE';
  readonly column: string;
  /** What is wrong, and the remedy. */
  readonly message: string;
}

export interface ContractCheck {
  /** The existing columns, then the added ones. */
  readonly columns: readonly Column[];
  readonly added: readonly Column[];
  /** Any problem rejects the whole file. */
  readonly problems: readonly ContractProblem[];
}

/**
 * Checks a file against the columns of its dataset. New columns are added at the end, nullable. A nullable column that
 * the file lacks is null in its rows. A type that converts to the dataset's type without loss is accepted. Everything
 * else is a problem: a type that does not fit, a name in another case, an apparent rename (a similar name, or the same
 * type in the same position), a missing column that is not nullable.
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
    if (twin !== undefined) problems.push(twice(twin, name));
    else if (there) {
      if (type !== undefined && !isLossless(type, there.type)) problems.push(narrowed(there, type));
    } else if (folded.has(lower)) problems.push(otherCase(folded.get(lower)!, name));
    else {
      const renamed = missing.find((gone) => isRename(gone, column, current[index] === gone));
      if (renamed) problems.push(renamedColumn(renamed.name, name));
      else
        added.push({ name, type: type ?? 'string', nullable: true, ...(note === undefined ? {} : { note }) });
    }
  }
  const explained = new Set(problems.map(({ column }) => column));
  for (const { name, nullable } of missing)
    if (!nullable && !explained.has(name)) problems.push(missingColumn(name));
  return { columns: [...current, ...added], added, problems };
}

/**
 * Whether values of one type convert to another without loss. Some values may still be out of range: an int64 can be
 * too large for a double or a decimal, and its row is then bad.
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

/** @param isInPlace whether the new column has the position of the missing one */
function isRename(gone: Column, added: IncomingColumn, isInPlace: boolean): boolean {
  const couldBe = added.type === undefined || isLossless(added.type, gone.type);
  return (
    couldBe &&
    (isSimilarName(gone.name, added.name) ||
      (isInPlace && added.type === gone.type && !isNumbered(gone.name, added.name)))
  );
}

const show = (name: string) => JSON.stringify(name);

function twice(first: string, second: string): ContractProblem {
  return {
    kind: 'TWICE',
    column: second,
    message: `The columns ${show(first)} and ${show(second)} have the same name ignoring case: rename one of them.`,
  };
}

function otherCase(there: string, name: string): ContractProblem {
  return {
    kind: 'OTHER_CASE',
    column: there,
    message: `The column ${show(name)} is called ${show(there)} in the dataset: use that spelling.`,
  };
}

function renamedColumn(gone: string, name: string): ContractProblem {
  return {
    kind: 'RENAMED',
    column: gone,
    message: `The column ${show(gone)} is missing, and ${show(name)} looks like a rename of it: rename it to ${show(gone)}, or add ${show(gone)} as an empty column.`,
  };
}

function missingColumn(name: string): ContractProblem {
  return {
    kind: 'MISSING',
    column: name,
    message: `The column ${show(name)} is missing and cannot be null: add it.`,
  };
}

function narrowed({ name, type }: Column, incoming: ColumnType): ContractProblem {
  return {
    kind: 'NARROWED',
    column: name,
    message: `The column ${show(name)} has the type ${type}, and ${incoming} does not convert to it without loss: write ${type}, or use a column of another name.`,
  };
}
