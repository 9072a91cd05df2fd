/**
 * Whether two names may be spellings of the same name: equal letters and digits, or one or two typos in a long name.
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
  return allowed > 0 && countEdits(left, right, { max: allowed, swaps: false }) <= allowed;
}

/** Whether two names differ only in their numbers, as x1 and x2 do: those name different things. */
export function isNumbered(a: string, b: string): boolean {
  return a !== b && a.replaceAll(/\d+/g, '') === b.replaceAll(/\d+/g, '');
}

/**
 * Finds the known name that is nearest to a misspelt one, ignoring case and separators. Returns the first of equally
 * near names. Cost: known names × product of the lengths, each cut to 200 characters.
 *
 * @returns undefined when no known name is near enough
 * @example
 * findNearestName('gaet', ['model', 'training', 'gate']) // 'gate'
 * findNearestName('trainModel', ['train-model', 'deploy-model']) // 'train-model'
 * findNearestName('auc', ['aucScore', 'logLossDistance']) // 'aucScore'
 * findNearestName('zebra', ['model', 'gate']) // undefined
 */
export function findNearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name);
  if (wanted === '') return undefined;
  let nearest: { readonly name: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const folded = fold(candidate);
    const allowed = Math.max(1, Math.floor(Math.min(wanted.length, folded.length) / 3));
    const edits = isAbbreviation(wanted, folded)
      ? 1
      : countEdits(wanted, folded, { max: allowed, swaps: true });
    if (edits <= allowed && (nearest === undefined || edits < nearest.edits))
      nearest = { name: candidate, edits };
  }
  return nearest?.name;
}

/** "auc" for "aucScore" counts as one edit. */
function isAbbreviation(name: string, whole: string): boolean {
  return name.length >= 3 && name !== whole && whole.startsWith(name);
}

function fold(name: string): string {
  return name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/**
 * The Levenshtein distance; with `swaps`, transposing two neighbouring letters is one edit.
 *
 * @returns any number above `max` when the distance exceeds it
 * @see https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance#Optimal_string_alignment_distance
 */
function countEdits(
  a: string,
  b: string,
  { max, swaps }: { readonly max: number; readonly swaps: boolean },
): number {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let edits = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost);
      const isSwap = swaps && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap && row > 1 && column > 1) edits = Math.min(edits, beforePrevious[column - 2]! + 1);
      current.push(edits);
    }
    // A transposition spans two rows, so check both before giving up.
    if (Math.min(...current) > max && Math.min(...previous) > max) return max + 1;
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
