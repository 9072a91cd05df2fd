/** A LIKE pattern: literal text between `%` (any text) and `_` (any one character). */
export interface LikePattern {
  /** Text that the value begins with, contains and ends with. */
  readonly start: string;
  readonly middle: readonly string[];
  readonly end: string;
  /** Without any `%` or `_`. */
  readonly isLiteral: boolean;
  /** Whether one of `start`, `middle` and `end` is the whole pattern. */
  readonly isSimple: boolean;
}

/** Parses a pattern. There is no escape character, as in SQLite. */
export function readPattern(pattern: string): LikePattern {
  const pieces = pattern.split(/[%_]/);
  const isLiteral = pieces.length === 1;
  const start = pieces[0]!;
  const end = isLiteral ? '' : pieces.at(-1)!;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  const texts = [start, end, ...middle].filter((piece) => piece !== '');
  const isSimple = !isLiteral && !pattern.includes('_') && texts.length <= 1;
  return { start, middle, end, isLiteral, isSimple };
}

/**
 * Whether a text matches a LIKE pattern. `_` is one code point. Linear in practice: each `%` takes the first place where
 * the rest matches, and needs no backtracking beyond the last `%`.
 */
export function isLike(text: string, pattern: string, ignoreCase: boolean): boolean {
  const fold = (value: string) => Array.from(ignoreCase ? value.toLowerCase() : value);
  const value = fold(text);
  const wanted = fold(pattern);
  let at = 0;
  let next = 0;
  let retry: { readonly next: number; at: number } | undefined;
  while (at < value.length) {
    const sign = wanted[next];
    if (sign === '%') {
      next += 1;
      retry = { next, at };
    } else if (sign === '_' || (sign !== undefined && sign === value[at])) {
      next += 1;
      at += 1;
    } else if (retry !== undefined) {
      retry.at += 1;
      at = retry.at;
      next = retry.next;
    } else {
      return false;
    }
  }
  while (wanted[next] === '%') next += 1;
  return next === wanted.length;
}
