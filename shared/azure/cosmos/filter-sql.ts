import type { SqlParameter, SqlQuerySpec } from '@azure/cosmos';
import type { FieldPath, Filter, Scalar } from '../../storage/documents.ts';

/** Collects the values of a query: no value of a caller's ever becomes part of its text. */
export class SqlValues {
  readonly #parameters: SqlParameter[] = [];

  /** @returns the parameter's name. */
  add(value: Scalar): string {
    const name = `@p${this.#parameters.length}`;
    this.#parameters.push({ name, value });
    return name;
  }

  toQuery(sql: string): SqlQuerySpec {
    return { query: sql, parameters: this.#parameters };
  }
}

/**
 * A field of the document `c`. Names are quoted as JSON strings, whose escapes are those of the query language,
 * so that no name can leave its quotes.
 *
 * @example
 * fieldSql(['metrics', 'val "auc"']) // 'c["metrics"]["val \\"auc\\""]'
 */
export function fieldSql(path: FieldPath): string {
  return `c${path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
}

/**
 * A condition that is true exactly where the port's filter is true, and false everywhere else: it never is
 * `undefined`, the service's third truth value, because how that spreads differs between the service's documents
 * and its imitations. `not` therefore asks its part a second question: where is it *false*? (Where it is unknown,
 * neither holds.)
 *
 * @see https://learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators
 */
export function filterSql(filter: Filter, values: SqlValues, wanted = true): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const parts = filter.filters.map((part) => filterSql(part, values, wanted));
      // De Morgan: a conjunction is false where any part is.
      const isConjunction = (filter.op === 'and') === wanted;
      if (parts.length === 0) return isConjunction ? 'true' : 'false';
      return `(${parts.join(isConjunction ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return filterSql(filter.filter, values, !wanted);
    case 'exists': {
      const field = fieldSql(filter.path);
      return wanted
        ? `(IS_DEFINED(${field}) AND NOT IS_NULL(${field}))`
        : `(NOT IS_DEFINED(${field}) OR IS_NULL(${field}))`;
    }
    case 'in':
      return inSql(filter.path, filter.values, values, wanted);
    case 'startsWith':
    case 'endsWith':
    case 'contains': {
      const field = fieldSql(filter.path);
      const test = `${textFunctions[filter.op]}(${field}, ${values.add(filter.value)})`;
      return `(IS_STRING(${field}) AND ${wanted ? test : `NOT ${test}`})`;
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const field = fieldSql(filter.path);
      const operator = operators[wanted ? filter.op : opposites[filter.op]];
      return `(${typeTest(filter.value)}(${field}) AND ${field} ${operator} ${values.add(filter.value)})`;
    }
  }
}

const textFunctions = { startsWith: 'STARTSWITH', endsWith: 'ENDSWITH', contains: 'CONTAINS' } as const;
const operators = { eq: '=', ne: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;
const opposites = { eq: 'ne', ne: 'eq', lt: 'gte', lte: 'gt', gt: 'lte', gte: 'lt' } as const;

/** @returns the function that is true for fields of the value's type. */
export function typeTest(value: Scalar): 'IS_STRING' | 'IS_NUMBER' | 'IS_BOOL' {
  if (typeof value === 'string') return 'IS_STRING';
  return typeof value === 'number' ? 'IS_NUMBER' : 'IS_BOOL';
}

/** `in` is a disjunction of equalities: values of two types leave it unknown, never false, for every field. */
function inSql(path: FieldPath, wantedValues: readonly Scalar[], values: SqlValues, wanted: boolean): string {
  const byType = Map.groupBy(wantedValues, typeTest);
  if (byType.size === 0) return wanted ? 'false' : 'true';
  if (!wanted && byType.size > 1) return 'false';
  const field = fieldSql(path);
  const parts = Array.from(byType, ([isType, group]) => {
    const test = `${field} IN (${group.map((value) => values.add(value)).join(', ')})`;
    return `(${isType}(${field}) AND ${wanted ? test : `NOT (${test})`})`;
  });
  return parts.length === 1 ? parts[0]! : `(${parts.join(' OR ')})`;
}
