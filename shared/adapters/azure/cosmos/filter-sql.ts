import type { SqlParameter, SqlQuerySpec } from '@azure/cosmos';
import { oppositeTests } from '../../../platform/storage/document-query-rules.ts';
import type { FieldPath, Filter, Scalar } from '../../../platform/storage/documents.ts';

/** Collects the values of a query as parameters, so that no value becomes part of the SQL. */
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
 * Renders a field of the document `c`. Quotes names as JSON strings, whose escapes the query language shares, so that
 * no name can inject SQL.
 *
 * @example
 * fieldSql(['metrics', 'val "auc"']) // 'c["metrics"]["val \\"auc\\""]'
 */
export function fieldSql(path: FieldPath): string {
  return `c${path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
}

/** Only a disjunction within a conjunction needs parentheses. */
interface Condition {
  readonly sql: string;
  readonly isDisjunction: boolean;
}

/**
 * Renders a filter as a condition that is true where the filter is true and false everywhere else. It is never
 * `undefined`, the service's third truth value, because emulators propagate that differently. `not` is therefore pushed
 * down: each part is rendered as where it is true or where it is *false*; where it is unknown, neither holds.
 *
 * @returns SQL that needs no parentheses within a conjunction
 * @see https://learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators
 */
export function filterSql(filter: Filter, values: SqlValues): string {
  return toConjunct(translate(filter, values, true));
}

/** @param wanted select where the filter is true, or where it is false */
function translate(filter: Filter, values: SqlValues, wanted: boolean): Condition {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const parts = filter.filters.map((part) => translate(part, values, wanted));
      // De Morgan: a conjunction is false where any part is.
      return (filter.op === 'and') === wanted ? allOf(parts) : anyOf(parts);
    }
    case 'not':
      return translate(filter.filter, values, !wanted);
    case 'exists': {
      const field = fieldSql(filter.path);
      return wanted
        ? allOf([simple(`IS_DEFINED(${field})`), simple(`NOT IS_NULL(${field})`)])
        : anyOf([simple(`NOT IS_DEFINED(${field})`), simple(`IS_NULL(${field})`)]);
    }
    case 'in':
      return translateIn(filter.path, filter.values, values, wanted);
    case 'match': {
      const field = fieldSql(filter.path);
      const fold = filter.ignoreCase === true ? ', true' : '';
      const test = `${textFunctions[filter.how]}(${field}, ${values.add(filter.value)}${fold})`;
      return allOf([simple(`IS_STRING(${field})`), simple(wanted ? test : `NOT ${test}`)]);
    }
    case 'compare': {
      const field = fieldSql(filter.path);
      const operator = operators[wanted ? filter.test : oppositeTests[filter.test]];
      return allOf([
        simple(`${typeTest(filter.value)}(${field})`),
        simple(`${field} ${operator} ${values.add(filter.value)}`),
      ]);
    }
  }
}

const textFunctions = { startsWith: 'STARTSWITH', endsWith: 'ENDSWITH', contains: 'CONTAINS' } as const;
const operators = { eq: '=', ne: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

/** @returns the function that tests for the value's type */
export function typeTest(value: Scalar): 'IS_STRING' | 'IS_NUMBER' | 'IS_BOOL' {
  if (typeof value === 'string') return 'IS_STRING';
  return typeof value === 'number' ? 'IS_NUMBER' : 'IS_BOOL';
}

/**
 * `in` is a disjunction of equalities. With values of two types it is never false, only unknown, because no field has
 * both types: the conjunction below is unsatisfiable then.
 */
function translateIn(
  path: FieldPath,
  wantedValues: readonly Scalar[],
  values: SqlValues,
  wanted: boolean,
): Condition {
  const byType = Map.groupBy(wantedValues, typeTest);
  const field = fieldSql(path);
  const parts = Array.from(byType, ([isType, group]) => {
    const test = `${field} IN (${group.map((value) => values.add(value)).join(', ')})`;
    return allOf([simple(`${isType}(${field})`), simple(wanted ? test : `NOT (${test})`)]);
  });
  return wanted ? anyOf(parts) : allOf(parts);
}

function simple(sql: string): Condition {
  return { sql, isDisjunction: false };
}

function allOf(parts: readonly Condition[]): Condition {
  return simple(parts.length === 0 ? 'true' : parts.map(toConjunct).join(' AND '));
}

function anyOf(parts: readonly Condition[]): Condition {
  if (parts.length <= 1) return parts[0] ?? simple('false');
  return { sql: parts.map(({ sql }) => sql).join(' OR '), isDisjunction: true };
}

function toConjunct({ sql, isDisjunction }: Condition): string {
  return isDisjunction ? `(${sql})` : sql;
}
