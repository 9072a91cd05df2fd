import type { FieldPath, Filter } from '../storage/documents.ts';
import { searchErrors } from './errors.ts';
import { judgeMissing } from './evaluate.ts';
import type { Comparison, Condition, Expression } from './expression.ts';
import { toFinite } from './fields.ts';
import { readPattern } from './like.ts';

/** A filter for the store. An inexact one selects too much, never too little. */
export interface Pushed {
  readonly filter: Filter;
  readonly isExact: boolean;
}

type Valued = Exclude<Condition, { readonly op: 'missing' }>;

/** Selects everything. */
export const everything: Filter = { op: 'and', filters: [] };

/** Of the store's 500; the rest is for the scope and the page. */
const mostNodes = 400;

/**
 * Translates a filter for the store, as exactly as the store can evaluate it.
 *
 * @throws INVALID_ARGUMENT for more conditions than the store accepts
 */
export function pushDown(expression: Expression): Pushed {
  const pushed = push(expression, true);
  if (countNodes(pushed.filter) > mostNodes) throw searchErrors.filterTooCostly({ maxConditions: mostNodes });
  return pushed;
}

/** @param wanted select where the expression is true, or where it is false; never where it is unknown */
function push(expression: Expression, wanted: boolean): Pushed {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const parts = expression.parts.map((part) => push(part, wanted));
      const isExact = parts.every((part) => part.isExact);
      const filters = parts.map(({ filter }) => filter);
      // De Morgan: a conjunction is false where any part is.
      return { filter: (expression.kind === 'and') === wanted ? allOf(filters) : anyOf(filters), isExact };
    }
    case 'not':
      return push(expression.part, !wanted);
    case 'condition':
      if (expression.field.isNames === true) return pushNames(expression, wanted);
      if (expression.op === 'missing') return exact(pushMissing(expression, wanted));
      return pushField(expression, wanted);
  }
}

function pushField(condition: Valued, wanted: boolean): Pushed {
  const { field } = condition;
  const { filter, isExact } = pushValue(condition, wanted);
  const others: Filter[] = [];
  // NaN is unequal to everything; all other comparisons with it are false.
  if (field.nanPath !== undefined && isTrueForNaN(condition) === wanted) others.push(isMarked(field.nanPath));
  if (judgeMissing(condition) === wanted) {
    const marks = field.nanPath === undefined ? [] : [isAbsent(field.nanPath)];
    others.push(allOf([isAbsent(field.path), ...marks]));
  }
  return { filter: others.length === 0 ? filter : anyOf([filter, ...others]), isExact };
}

function isTrueForNaN(condition: Valued): boolean {
  return condition.op === '!=' || (condition.op === 'in' && condition.isNegated);
}

/** For a field that exists and has its type. */
function pushValue(condition: Valued, wanted: boolean): Pushed {
  const { path } = condition.field;
  switch (condition.op) {
    case 'in': {
      const values = condition.values.map((value) => (typeof value === 'number' ? toFinite(value) : value));
      const filter: Filter = { op: 'in', path, values };
      return exact(wanted !== condition.isNegated ? filter : { op: 'not', filter });
    }
    case 'like':
      return pushLike(condition, wanted !== condition.isNegated);
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return exact(pushComparison(condition.op, condition.field.path, condition.value, wanted));
  }
}

const comparisons = {
  '=': ['eq', 'ne'],
  '!=': ['ne', 'eq'],
  '<': ['lt', 'gte'],
  '<=': ['lte', 'gt'],
  '>': ['gt', 'lte'],
  '>=': ['gte', 'lt'],
} as const satisfies Record<Comparison, unknown>;

function pushComparison(op: Comparison, path: FieldPath, value: number | string, wanted: boolean): Filter {
  const [whenTrue, whenFalse] = comparisons[op];
  return {
    op: 'compare',
    test: wanted ? whenTrue : whenFalse,
    path,
    value: typeof value === 'number' ? toFinite(value) : value,
  };
}

function pushLike(condition: Valued & { readonly op: 'like' }, wanted: boolean): Pushed {
  const { path } = condition.field;
  const { pattern, ignoreCase } = condition;
  const { start, middle, end, isLiteral, isSimple } = readPattern(pattern);
  if (isLiteral && !ignoreCase) return exact(pushComparison('=', path, pattern, wanted));
  const fold = ignoreCase ? ({ ignoreCase: true } as const) : {};
  const parts: Filter[] = [];
  if (start !== '') parts.push({ op: 'match', how: 'startsWith', path, value: start, ...fold });
  if (end !== '') parts.push({ op: 'match', how: 'endsWith', path, value: end, ...fold });
  for (const value of new Set(middle)) parts.push({ op: 'match', how: 'contains', path, value, ...fold });
  const filter = parts.length === 0 ? isText(path) : allOf(parts);
  if (isSimple) return exact(wanted ? filter : { op: 'not', filter });
  return { filter: wanted ? filter : isText(path), isExact: false };
}

function pushMissing(condition: Condition & { readonly op: 'missing' }, wanted: boolean): Filter {
  const { path, nanPath, type } = condition.field;
  if (wanted !== condition.isNegated)
    return allOf([isAbsent(path), ...(nanPath === undefined ? [] : [isAbsent(nanPath)])]);
  const isThere: Filter =
    type === 'string' ? isText(path) : { op: 'compare', test: 'gte', path, value: -Number.MAX_VALUE };
  return nanPath === undefined ? isThere : anyOf([isThere, isMarked(nanPath)]);
}

/** Names are members with the value true. Only equality can be pushed down; the rest is checked afterwards. */
function pushNames(condition: Condition, wanted: boolean): Pushed {
  const { path } = condition.field;
  const names =
    condition.op === '='
      ? [condition.value]
      : condition.op === 'in' && !condition.isNegated
        ? condition.values
        : undefined;
  if (names !== undefined) {
    const paths = [...new Set(names)].map((name): FieldPath => [...path, String(name)]);
    return exact(wanted ? anyOf(paths.map(isMarked)) : allOf(paths.map(isAbsent)));
  }
  const mustHave = condition.op === 'missing' ? wanted === condition.isNegated : wanted;
  return { filter: mustHave ? { op: 'exists', path } : everything, isExact: false };
}

function isMarked(path: FieldPath): Filter {
  return { op: 'compare', test: 'eq', path, value: true };
}

export function isAbsent(path: FieldPath): Filter {
  return { op: 'not', filter: { op: 'exists', path } };
}

/** Equivalent to `exists` for texts, but answered by an index. */
function isText(path: FieldPath): Filter {
  return { op: 'match', how: 'startsWith', path, value: '' };
}

export function allOf(filters: readonly Filter[]): Filter {
  const flat = filters.flatMap((filter) => (filter.op === 'and' ? filter.filters : [filter]));
  return flat.length === 1 ? flat[0]! : { op: 'and', filters: flat };
}

export function anyOf(filters: readonly Filter[]): Filter {
  const flat = filters.flatMap((filter) => (filter.op === 'or' ? filter.filters : [filter]));
  return flat.length === 1 ? flat[0]! : { op: 'or', filters: flat };
}

function exact(filter: Filter): Pushed {
  return { filter, isExact: true };
}

function countNodes(filter: Filter): number {
  if (filter.op === 'not') return 1 + countNodes(filter.filter);
  if (filter.op === 'and' || filter.op === 'or')
    return filter.filters.reduce((sum, part) => sum + countNodes(part), 1);
  return 1;
}
