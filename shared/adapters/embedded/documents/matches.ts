import { compareCodePoints } from '../../../core/names/code-points.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import { memberAt } from '../../../core/json/member-at.ts';
import type { ComparisonTest, Filter, Scalar } from '../../../platform/storage/documents.ts';

/** `undefined` is *unknown*. */
type Truth = boolean | undefined;

/**
 * Evaluates a filter over a body, with the port's three truth values. Every match is decided here, so the indexes need
 * not be exact.
 */
export function evaluateFilter(filter: Filter, body: JsonObject): Truth {
  switch (filter.op) {
    case 'and':
      return every(filter.filters, (part) => evaluateFilter(part, body));
    case 'or':
      return some(filter.filters, (part) => evaluateFilter(part, body));
    case 'not':
      return negate(evaluateFilter(filter.filter, body));
    case 'exists': {
      const value = memberAt(body, filter.path);
      return value !== undefined && value !== null;
    }
    case 'in': {
      const value = memberAt(body, filter.path);
      return some(filter.values, (wanted) => compare('eq', value, wanted));
    }
    case 'match': {
      const value = memberAt(body, filter.path);
      if (typeof value !== 'string') return undefined;
      return filter.ignoreCase === true
        ? textTests[filter.how](value.toLowerCase(), filter.value.toLowerCase())
        : textTests[filter.how](value, filter.value);
    }
    case 'compare':
      return compare(filter.test, memberAt(body, filter.path), filter.value);
  }
}

const textTests = {
  startsWith: (text: string, part: string) => text.startsWith(part),
  endsWith: (text: string, part: string) => text.endsWith(part),
  contains: (text: string, part: string) => text.includes(part),
} as const;

const orderTests = {
  eq: (order: number) => order === 0,
  ne: (order: number) => order !== 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
} as const;

function compare(test: ComparisonTest, value: unknown, wanted: Scalar): Truth {
  if (typeof value !== typeof wanted) return undefined;
  const order =
    typeof value === 'string' ? compareCodePoints(value, wanted as string) : Number(value) - Number(wanted);
  return orderTests[test](order);
}

function every<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = true;
  for (const item of items) {
    const truth = test(item);
    if (truth === false) return false;
    if (truth === undefined) result = undefined;
  }
  return result;
}

function some<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  return negate(every(items, (item) => negate(test(item))));
}

function negate(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}
