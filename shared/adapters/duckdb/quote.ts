/** @example quoteText("it's") // "'it''s'" */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** @example quoteName('a"b') // '"a""b"' */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
