/**
 * The inline constraints of ASP.NET Core routing, as Functions routes may use them: `{id:int:min(1)}`.
 *
 * @see https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints
 */
export interface RouteConstraint {
  readonly text: string;
  matches(value: string): boolean;
}

const isNumber = (value: string): boolean => value.trim() !== '' && Number.isFinite(Number(value));
const isInteger = (value: string): boolean => /^[+-]?\d+$/.test(value.trim());
const isBetween = (value: string, low: bigint, high: bigint): boolean =>
  isInteger(value) && BigInt(value.trim()) >= low && BigInt(value.trim()) <= high;

const plain: Readonly<Record<string, (value: string) => boolean>> = {
  int: (value) => isBetween(value, -(2n ** 31n), 2n ** 31n - 1n),
  long: (value) => isBetween(value, -(2n ** 63n), 2n ** 63n - 1n),
  bool: (value) => /^(true|false)$/i.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  decimal: isNumber,
  double: isNumber,
  float: isNumber,
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value !== '',
};

const withArguments: Readonly<Record<string, (args: string) => ((value: string) => boolean) | undefined>> = {
  length: (args) => {
    const [low = Number.NaN, high = low] = args.split(',').map(Number);
    return Number.isNaN(low) ? undefined : (value) => value.length >= low && value.length <= high;
  },
  minlength: (args) => (isInteger(args) ? (value) => value.length >= Number(args) : undefined),
  maxlength: (args) => (isInteger(args) ? (value) => value.length <= Number(args) : undefined),
  min: (args) =>
    isInteger(args) ? (value) => isInteger(value) && BigInt(value.trim()) >= BigInt(args) : undefined,
  max: (args) =>
    isInteger(args) ? (value) => isInteger(value) && BigInt(value.trim()) <= BigInt(args) : undefined,
  range: (args) => {
    const [low, high] = args.split(',');
    return low && high && isInteger(low) && isInteger(high)
      ? (value) => isBetween(value, BigInt(low), BigInt(high))
      : undefined;
  },
  regex: (args) => {
    const pattern = new RegExp(args, 'i');
    return (value) => pattern.test(value);
  },
};

/** @returns undefined for an unknown constraint or wrong arguments */
export function parseConstraint(text: string): RouteConstraint | undefined {
  const call = /^(\w+)\((.*)\)$/s.exec(text);
  const matches = call ? withArguments[call[1]!.toLowerCase()]?.(call[2]!) : plain[text.toLowerCase()];
  return matches && { text, matches };
}

const digitsOnly = new Set(['int', 'long']);

/** Whether clearly no text satisfies both. */
export function areDisjoint(a: readonly RouteConstraint[], b: readonly RouteConstraint[]): boolean {
  const has = (constraints: readonly RouteConstraint[], wanted: (text: string) => boolean): boolean =>
    constraints.some(({ text }) => wanted(text.toLowerCase()));
  const isNumeric = (text: string): boolean => digitsOnly.has(text);
  const isAlpha = (text: string): boolean => text === 'alpha';
  return (has(a, isNumeric) && has(b, isAlpha)) || (has(a, isAlpha) && has(b, isNumeric));
}
