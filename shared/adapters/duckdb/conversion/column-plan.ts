import { AppError } from '../../../core/errors.ts';
import type { ConvertOptions } from '../../../domains/datasets/ingestion/staging/table-converter.ts';
import type { Column, ColumnType } from '../../../domains/datasets/schema/column.ts';
import type { RowConstraint } from '../../../domains/datasets/schema/constraints.ts';
import { fits } from '../../../domains/datasets/schema/strict-types.ts';
import { typeOf } from '../column-sql.ts';
import { quoteText } from '../quote.ts';

/** A column of the result, and its source. */
export interface PlannedColumn extends Column {
  /** Position among the file's columns; undefined if it is null in all rows. */
  readonly source: number | undefined;
  readonly rules: readonly PlannedRule[];
}

/** A condition on a value, and its error message. */
export interface PlannedRule {
  readonly code: 'MISSING_VALUE' | 'CONSTRAINT';
  readonly expected: string;
  /** SQL over the typed value; NULL passes. */
  readonly toSql: (value: string) => string;
}

/**
 * Plans the columns of the result.
 *
 * @param sources the file's columns
 * @throws INVALID_ARGUMENT for conflicting names and invalid constraints
 */
export function planColumns(
  sources: readonly string[],
  { columns, constraints }: Pick<ConvertOptions, 'columns' | 'constraints'>,
): readonly PlannedColumn[] {
  const positions = new Map(sources.map((name, index) => [name, index]));
  const rules = new Map<string, PlannedRule[]>();
  const folded = new Set<string>();
  for (const { name, nullable } of columns) {
    if (name === '') throw new AppError('INVALID_ARGUMENT', 'A column has no name: give it one.');
    if (folded.has(name.toLowerCase()))
      throw new AppError('INVALID_ARGUMENT', `Two columns are called ${show(name)}, ignoring case.`, {
        name,
      });
    folded.add(name.toLowerCase());
    rules.set(name, nullable ? [] : [notNull]);
  }
  const unknown = sources.find((name) => !rules.has(name));
  if (unknown !== undefined)
    throw new AppError('INVALID_ARGUMENT', `The file has an unknown column ${show(unknown)}.`);
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  for (const constraint of constraints) {
    const type = types.get(constraint.column);
    if (type === undefined)
      throw new AppError(
        'INVALID_ARGUMENT',
        `A constraint names the column ${show(constraint.column)}, which does not exist: remove the constraint, or name another column.`,
        { column: constraint.column },
      );
    rules.get(constraint.column)!.push(planRule(constraint, type));
  }
  return columns.map((column) => ({
    ...column,
    source: positions.get(column.name),
    rules: rules.get(column.name)!,
  }));
}

const notNull: PlannedRule = {
  code: 'MISSING_VALUE',
  expected: 'it cannot be empty',
  toSql: (value) => `${value} IS NOT NULL`,
};

function planRule(constraint: RowConstraint, type: ColumnType): PlannedRule {
  const { column } = constraint;
  const code = 'CONSTRAINT';
  const literal = (text: string) => toLiteral(text, type, column);
  switch (constraint.kind) {
    case 'notNull':
      return notNull;
    case 'range': {
      const { min, max } = constraint;
      const low = min === undefined ? undefined : literal(min);
      const high = max === undefined ? undefined : literal(max);
      const toSql = (value: string) =>
        [
          ...(low === undefined ? [] : [`${value} >= ${low}`]),
          ...(high === undefined ? [] : [`${value} <= ${high}`]),
          // DuckDB sorts NaN above all numbers; no range includes it.
          ...(type === 'double' ? [`NOT isnan(${value})`] : []),
        ].join(' AND ') || 'true';
      return {
        code,
        expected: `it must be ${[min && `at least ${min}`, max && `at most ${max}`].filter(Boolean).join(' and ')}`,
        toSql,
      };
    }
    case 'set': {
      const values = constraint.values.map(literal).join(', ');
      const some = constraint.values.slice(0, 10).map(show).join(', ');
      const more = constraint.values.length > 10 ? ' …' : '';
      return {
        code,
        expected: `it must be one of ${some}${more}`,
        toSql: (value) => `${value} IN (${values})`,
      };
    }
    case 'regex': {
      const pattern = quoteText(constraint.pattern);
      return {
        code,
        expected: `it must match ${constraint.pattern}`,
        toSql: (value) => `regexp_full_match(CAST(${value} AS VARCHAR), ${pattern})`,
      };
    }
  }
}

function toLiteral(text: string, type: ColumnType, column: string): string {
  if (!fits(type, text))
    throw new AppError(
      'INVALID_ARGUMENT',
      `A constraint compares the column ${show(column)} with ${show(text)}, which is not a valid ${type}: use a value of that type.`,
      { column, type },
    );
  return `CAST(${quoteText(text)} AS ${typeOf(type)})`;
}

const show = (text: string) => JSON.stringify(text);
