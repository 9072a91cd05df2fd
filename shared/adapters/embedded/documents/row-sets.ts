import type {
  FieldPath,
  Filter,
  MatchFilter,
  Scalar,
  ValueFilter,
} from '../../../platform/storage/documents.ts';
import {
  isValueFilter,
  oppositeTests,
  unindexedMembers,
} from '../../../platform/storage/document-query-rules.ts';
import type { Database, SqlValue } from './database.ts';
import { fieldTypes, indexedCodePoints, mayBeCut, pathName, toIndexValue } from './fields.ts';
import type { Scope } from './index-scans.ts';
import { countRange, whereRange } from './index-scans.ts';
import type { FieldRange } from './ranges.ts';
import { toComparedRange, toMatchedRange } from './ranges.ts';

interface Sql {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * A set of documents (by `seq`), computed from index rows alone, that contains every match of a filter, and possibly
 * others.
 */
export interface RowSet {
  /** Selects its documents, possibly with repetitions; undefined when only `test` can decide. */
  readonly rows: Sql | undefined;
  /** Whether `f.seq` belongs to the set. SQLite evaluates its subquery once per statement. */
  readonly test: Sql;
  /** The index rows read to compute it. */
  readonly cost: number;
}

/** Above this cost, reading the documents is cheaper. */
const mostRows = 300_000;
/** A conjunction intersects sets up to this cost, or up to four times the smallest. */
const smallRows = 20_000;

/** @returns undefined when the indexes cannot restrict the filter, or only at too high a cost */
export function findRowSet(database: Database, scope: Scope, filter: Filter): RowSet | undefined {
  switch (filter.op) {
    case 'and':
      return intersectSets(filter.filters.flatMap((part) => findRowSet(database, scope, part) ?? []));
    case 'or': {
      const parts = filter.filters.map((part) => findRowSet(database, scope, part));
      return parts.every((part) => part !== undefined) ? uniteSets(parts) : undefined;
    }
    case 'not':
      return filter.filter.op === 'exists'
        ? findAbsence(database, scope, filter.filter.path)
        : findLeaf(database, scope, filter.filter, true);
    case 'exists':
      return undefined;
    case 'compare':
    case 'in':
    case 'match':
      return findLeaf(database, scope, filter, false);
  }
}

function intersectSets(parts: readonly RowSet[]): RowSet | undefined {
  const [smallest] = parts.filter(({ rows }) => rows !== undefined).toSorted((a, b) => a.cost - b.cost);
  const bound = smallest === undefined ? mostRows : Math.max(smallRows, 4 * smallest.cost);
  const others = parts.filter((part) => part !== smallest && part.cost <= bound);
  const tests = others.map(({ test }) => test);
  const cost = others.reduce((sum, other) => sum + other.cost, smallest?.cost ?? 0);
  if (smallest === undefined)
    return others.length === 0 ? undefined : { rows: undefined, test: allOf(tests), cost };
  if (tests.length === 0) return smallest;
  return fromRows(
    {
      sql: `SELECT f.seq FROM (${smallest.rows!.sql}) f WHERE ${allOf(tests).sql}`,
      values: [...smallest.rows!.values, ...allOf(tests).values],
    },
    cost,
  );
}

function uniteSets(parts: readonly RowSet[]): RowSet | undefined {
  const cost = parts.reduce((sum, part) => sum + part.cost, 0);
  if (parts.length === 0 || cost > mostRows) return undefined;
  const rows = parts.map((part) => part.rows);
  if (rows.every((part) => part !== undefined)) return fromRows(join(rows, ' UNION ALL '), cost);
  const { sql, values } = join(
    parts.map(({ test }) => test),
    ' OR ',
  );
  return { rows: undefined, test: { sql: `(${sql})`, values }, cost };
}

/** Excludes documents with a scalar at the path. Others can still have an object there. */
function findAbsence(database: Database, scope: Scope, path: FieldPath): RowSet | undefined {
  if (unindexedMembers.has(path[0])) return undefined;
  const ranges = Object.values(fieldTypes).map((type) => ({ path: pathName(path), type }));
  const cost = countRanges(database, scope, ranges);
  if (cost > mostRows) return undefined;
  const { sql, values } = join(
    ranges.map((range) => select(scope, range)),
    ' UNION ALL ',
  );
  return { rows: undefined, test: { sql: `+f.seq NOT IN (${sql})`, values }, cost };
}

function findLeaf(database: Database, scope: Scope, filter: Filter, isNegated: boolean): RowSet | undefined {
  if (!isValueFilter(filter) || unindexedMembers.has(filter.path[0])) return undefined;
  const parts = selectLeaf(filter, isNegated);
  const cost = countRanges(
    database,
    scope,
    parts.map(({ range }) => range),
  );
  if (cost > mostRows) return undefined;
  if (parts.length === 0) return fromRows({ sql: 'SELECT seq FROM documents WHERE 0', values: [] }, 0);
  return fromRows(
    join(
      parts.map(({ range, value }) => select(scope, range, value)),
      ' UNION ALL ',
    ),
    cost,
  );
}

/** The index ranges of a condition, with further conditions on their values. */
function selectLeaf(
  filter: ValueFilter,
  isNegated: boolean,
): readonly { readonly range: FieldRange; readonly value?: Sql }[] {
  const { path } = filter;
  switch (filter.op) {
    case 'in': {
      const values = [...new Set(filter.values)];
      if (!isNegated) return values.map((value) => ({ range: toComparedRange('eq', path, value) }));
      // False only where every value was compared: all of them have the field's type.
      const types = new Set(values.map((value) => typeof value));
      if (types.size !== 1) return [];
      return [{ range: toComparedRange('ne', path, values[0]!), value: differs(values) }];
    }
    case 'match': {
      const { how, ignoreCase } = filter;
      if (how === 'startsWith' && ignoreCase !== true && !isNegated)
        return [{ range: toMatchedRange(filter) }];
      const anyString = toMatchedRange({ op: 'match', how: 'contains', path, value: '' });
      return [{ range: anyString, value: holdsText(filter, isNegated) }];
    }
    case 'compare': {
      const test = isNegated ? oppositeTests[filter.test] : filter.test;
      const range = toComparedRange(test, path, filter.value);
      return [test === 'ne' ? { range, value: differs([filter.value]) } : { range }];
    }
  }
}

function differs(values: readonly Scalar[]): Sql {
  const whole = values.filter((value) => !mayBeCut(value)).map((value) => toIndexValue(value)!.value);
  return { sql: `f.value NOT IN (${whole.map(() => '?').join(', ')})`, values: whole };
}

/** Includes texts that the index cut where the rest would decide. */
function holdsText(filter: MatchFilter, isNegated: boolean): Sql {
  const { how, ignoreCase = false } = filter;
  const text = ignoreCase ? 'fold_case(f.value)' : 'f.value';
  const value = ignoreCase ? filter.value.toLowerCase() : filter.value;
  const isLong = `octet_length(f.value) >= ${indexedCodePoints}`;
  if (how !== 'endsWith') {
    const where = how === 'startsWith' ? '= 1' : '> 0';
    const found = value === '' ? '1' : `instr(${text}, ?) ${where}`;
    return {
      sql: isNegated ? `NOT (${found})` : `(${found} OR ${isLong})`,
      values: value === '' ? [] : [value],
    };
  }
  // Compare bytes, because SQLite's text functions stop at a NUL. substr of an empty blob is null.
  const end = `ifnull(substr(CAST(${text} AS BLOB), ?), x'') ${isNegated ? '<>' : '='} CAST(? AS BLOB)`;
  return value === ''
    ? { sql: isNegated ? '0' : '1', values: [] }
    : { sql: `(${end} OR ${isLong})`, values: [-Buffer.byteLength(value), value] };
}

function select(scope: Scope, range: FieldRange, value?: Sql): Sql {
  const where = whereRange(scope, range);
  const also = value === undefined ? '' : ` AND ${value.sql}`;
  return {
    sql: `SELECT f.seq FROM fields f WHERE ${where.sql}${also}`,
    values: [...where.values, ...(value?.values ?? [])],
  };
}

function countRanges(database: Database, scope: Scope, ranges: readonly FieldRange[]): number {
  let count = 0;
  for (const range of ranges) {
    count += countRange(database, scope, range, mostRows + 1 - count);
    if (count > mostRows) break;
  }
  return count;
}

/** The unary plus keeps SQLite from driving the query by the set: the sort index must drive it. */
function fromRows(rows: Sql, cost: number): RowSet {
  return { rows, test: { sql: `+f.seq IN (${rows.sql})`, values: rows.values }, cost };
}

function allOf(parts: readonly Sql[]): Sql {
  return join(parts, ' AND ');
}

function join(parts: readonly Sql[], by: string): Sql {
  return { sql: parts.map(({ sql }) => sql).join(by), values: parts.flatMap(({ values }) => values) };
}
