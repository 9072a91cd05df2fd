/**
 * A JSON value as an error may show it: short, and never the whole of a nested one.
 *
 * @example
 * showJson([1, 2]) // 'a list'
 * showJson('far') // '"far"'
 */
export function showJson(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
  return shorten(text);
}

export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
