/** In code points, as in Spark and delta-rs. */
const maxLength = 32;

/**
 * The first 32 code points of a text: a lower bound.
 *
 * @example
 * shortenText('a'.repeat(40)).length // 32
 */
export function shortenText(text: string): string {
  return text.slice(0, prefixLength(text));
}

/**
 * A text of at most 32 code points that is an upper bound in code point order (the order of UTF-8). If there is none (32
 * times U+10FFFF), the text itself.
 *
 * @returns undefined if that is too long
 * @example
 * roundUpText('a'.repeat(40)).slice(-2) // 'ab'
 */
export function roundUpText(text: string): string | undefined {
  const prefix = shortenText(text);
  if (prefix.length === text.length) return text;
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Skip surrogates.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return text.length <= 1_000 ? text : undefined;
}

/** The length of the first 32 code points in UTF-16 units. Does not read past them. */
function prefixLength(text: string): number {
  let at = 0;
  for (let points = 0; points < maxLength && at < text.length; points += 1) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return at;
}
