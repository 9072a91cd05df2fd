/**
 * Whether one name may be another spelling of the other: the same letters and digits, one within the other's words, or
 * a slip or two in a name of some length.
 *
 * @example
 * isSimilarName('customer_id', 'customerId') // true
 * isSimilarName('amount', 'ammount') // true
 * isSimilarName('amount', 'country') // false
 * isSimilarName('x1', 'x2') // false
 */
export function isSimilarName(a: string, b: string): boolean {
  const left = fold(a);
  const right = fold(b);
  if (left === right) return left !== '' || a.trim() === b.trim();
  const shorter = Math.min(left.length, right.length);
  if (isNumbered(left, right)) return false;
  const allowed = Math.min(2, Math.floor(shorter / 4));
  return allowed > 0 && isWithinEdits(left, right, allowed);
}

/** Numbered names differ in one character and are others: x1 and x2. */
export function isNumbered(a: string, b: string): boolean {
  return a !== b && a.replaceAll(/\d+/g, '') === b.replaceAll(/\d+/g, '');
}

function fold(name: string): string {
  return name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Levenshtein's distance, up to a bound. @see https://en.wikipedia.org/wiki/Levenshtein_distance */
function isWithinEdits(a: string, b: string, allowed: number): boolean {
  if (Math.abs(a.length - b.length) > allowed) return false;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      current.push(Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost));
    }
    if (Math.min(...current) > allowed) return false;
    previous = current;
  }
  return previous[b.length]! <= allowed;
}
