/**
 * Reads CSV by the grammar of RFC 4180, one production after the other: with any character for TEXTDATA, any single line
 * end for CRLF, and another delimiter for COMMA. Slow and simple: the reference for the scanner.
 *
 * @returns undefined when the text is not of the grammar
 * @see https://www.rfc-editor.org/rfc/rfc4180#section-2
 */
export function readRfc4180(text: string, delimiter = ','): string[][] | undefined {
  const records: string[][] = [];
  let rest = text;
  while (rest !== '') {
    const record: string[] = [];
    for (;;) {
      const escaped = /^"(?:[^"]|"")*"(?!")/.exec(rest)?.[0];
      const plain = [...takeWhile(rest, (character) => !`"\r\n${delimiter}`.includes(character))].join('');
      record.push(escaped === undefined ? plain : escaped.slice(1, -1).replaceAll('""', '"'));
      rest = rest.slice((escaped ?? plain).length);
      if (!rest.startsWith(delimiter)) break;
      rest = rest.slice(1);
    }
    records.push(record);
    const end = /^(?:\r\n|\n|\r|$)/.exec(rest);
    if (!end) return undefined;
    rest = rest.slice(end[0].length);
  }
  return records;
}

function* takeWhile(text: string, isWanted: (character: string) => boolean): Generator<string> {
  for (const character of text) {
    if (!isWanted(character)) return;
    yield character;
  }
}
