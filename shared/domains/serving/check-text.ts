/**
 * Finds what the runtime would silently change in a text: it cuts texts at U+0000 and replaces lone surrogates.
 *
 * @returns What is wrong, if anything.
 * @example
 * checkText('Zürich') // undefined
 * checkText('a\u0000b') // 'must not contain U+0000'
 */
export function checkText(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain U+0000';
  return text.isWellFormed() ? undefined : 'must not contain half of a surrogate pair';
}
