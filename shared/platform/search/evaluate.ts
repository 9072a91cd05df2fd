import { compareCodePoints } from '../../core/names/code-points.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { memberAt } from '../../core/json/member-at.ts';
import type { Comparison, Condition, Expression } from './expression.ts';
import { namesAt, toFinite } from './fields.ts';
import { isLike } from './like.ts';

/** Three-valued, as in SQL: `undefined` is unknown, and does not select. */
export type Truth = boolean | undefined;

/** Whether a filter selects a document. Exact, whereas the store may select too much. */
export function evaluateFilter(expression: Expression, body: JsonObject): Truth {
  switch (expression.kind) {
    case 'and':
      return allOf(expression.parts.map((part) => evaluateFilter(part, body)));
    case 'or':
      return not(allOf(expression.parts.map((part) => not(evaluateFilter(part, body)))));
    case 'not':
      return not(evaluateFilter(expression.part, body));
    case 'condition':
      return expression.field.isNames === true ? judgeNames(expression, body) : judgeField(expression, body);
  }
}

/** Whether the condition holds for any of the names; never unknown. */
function judgeNames(condition: Condition, body: JsonObject): Truth {
  const names = namesAt(body, condition.field.path);
  if (condition.op === 'missing') return (names.length === 0) !== condition.isNegated;
  return names.some((name) => judgeValue(condition, name));
}

function judgeField(condition: Condition, body: JsonObject): Truth {
  const { field } = condition;
  const value = memberAt(body, field.path);
  const isThere = typeof value === field.type;
  const isNaN = !isThere && field.nanPath !== undefined && memberAt(body, field.nanPath) === true;
  if (condition.op === 'missing') return (!isThere && !isNaN) !== condition.isNegated;
  if (isThere) return judgeValue(condition, value as number | string);
  return isNaN ? judgeValue(condition, NaN) : judgeMissing(condition);
}

/** Whether a condition holds for a missing field. */
export function judgeMissing(condition: Exclude<Condition, { readonly op: 'missing' }>): Truth {
  const { missingEquals, missingIsDifferent } = condition.field;
  if (missingEquals !== undefined) return judgeValue(condition, missingEquals);
  if (missingIsDifferent !== true) return undefined;
  return condition.op === '!=' || ('isNegated' in condition && condition.isNegated);
}

/** @param value NaN equals nothing, and is neither less nor greater. */
export function judgeValue(
  condition: Exclude<Condition, { readonly op: 'missing' }>,
  value: number | string,
): boolean {
  switch (condition.op) {
    case 'like':
      return isLike(String(value), condition.pattern, condition.ignoreCase) !== condition.isNegated;
    case 'in':
      return condition.values.some((wanted) => compare('=', value, wanted)) !== condition.isNegated;
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(condition.op, value, condition.value);
  }
}

function compare(op: Comparison, value: number | string, wanted: number | string): boolean {
  if (typeof value === 'string')
    return typeof wanted === 'string' && orderTests[op](compareCodePoints(value, wanted));
  if (typeof wanted === 'string') return false;
  if (Number.isNaN(value)) return op === '!=';
  return orderTests[op](value - toFinite(wanted));
}

const orderTests = {
  '=': (order: number) => order === 0,
  '!=': (order: number) => order !== 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
} as const satisfies Record<Comparison, (order: number) => boolean>;

function allOf(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}
