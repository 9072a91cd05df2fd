/** One member of an object. Members with the value null are not listed. */
export interface JsonField {
  readonly key: string;
  readonly text: string;
  readonly isString: boolean;
}

export type JsonRecord =
  | { readonly fields: readonly JsonField[] }
  | {
      readonly code: 'BAD_JSON' | 'NOT_AN_OBJECT' | 'DUPLICATE_KEY' | 'BAD_ENCODING';
      readonly reason: string;
      readonly key?: string;
    };

/**
 * Reads one line of JSON Lines. Numbers keep their digits and nested values their JSON text.
 *
 * @example
 * readJsonRecord('{"a":1.50,"b":[1, 2],"c":null}').fields // [{ key: 'a', text: '1.50', isString: false }, { key: 'b', text: '[1, 2]', isString: false }]
 */
export function readJsonRecord(line: string): JsonRecord {
  try {
    JSON.parse(line);
  } catch (error) {
    return {
      code: 'BAD_JSON',
      reason: `The line is not valid JSON: ${error instanceof Error ? cut(error.message) : ''}.`,
    };
  }
  let at = skipBlanks(line, 0);
  if (line[at] !== '{')
    return {
      code: 'NOT_AN_OBJECT',
      reason: 'The line is JSON, but not an object: write {"column": value, …}.',
    };
  const fields: JsonField[] = [];
  const seen = new Set<string>();
  at = skipBlanks(line, at + 1);
  while (line[at] !== '}') {
    const keyEnd = skipString(line, at);
    const key = unquote(line.slice(at, keyEnd));
    if (seen.has(key))
      return {
        code: 'DUPLICATE_KEY',
        key,
        reason: `The line has the key ${JSON.stringify(key)} twice.`,
      };
    seen.add(key);
    at = skipBlanks(line, skipBlanks(line, keyEnd) + 1);
    const end = skipValue(line, at);
    const raw = line.slice(at, end);
    const isString = raw.startsWith('"');
    const text = isString ? unquote(raw) : raw;
    if (!text.isWellFormed() || !key.isWellFormed())
      return {
        code: 'BAD_ENCODING',
        key,
        reason: 'A text contains an unpaired surrogate, which is not a valid character.',
      };
    if (raw !== 'null') fields.push({ key, text, isString });
    at = skipBlanks(line, end);
    if (line[at] === ',') at = skipBlanks(line, at + 1);
  }
  return { fields };
}

// The functions below rely on valid JSON.

function skipBlanks(line: string, from: number): number {
  let at = from;
  for (; ; at += 1) {
    const char = line.charCodeAt(at);
    if (char !== 32 && char !== 9 && char !== 10 && char !== 13) return at;
  }
}

function skipString(line: string, from: number): number {
  let end = line.indexOf('"', from + 1);
  while (isEscaped(line, end)) end = line.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(line: string, at: number): boolean {
  let slashes = 0;
  while (line.charCodeAt(at - 1 - slashes) === 92) slashes += 1;
  return slashes % 2 === 1;
}

function skipValue(line: string, from: number): number {
  const first = line[from];
  if (first === '"') return skipString(line, from);
  let at = from;
  if (first !== '{' && first !== '[') {
    while (!',}] \t\r\n'.includes(line[at]!)) at += 1;
    return at;
  }
  let depth = 0;
  do {
    const char = line[at];
    if (char === '"') at = skipString(line, at);
    else {
      if (char === '{' || char === '[') depth += 1;
      else if (char === '}' || char === ']') depth -= 1;
      at += 1;
    }
  } while (depth > 0);
  return at;
}

function unquote(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** Drops the quoted text from V8's message: the quarantine keeps the whole line. */
function cut(message: string): string {
  return message.replace(/^(.*? in JSON at position \d+).*$/su, '$1').slice(0, 200);
}
