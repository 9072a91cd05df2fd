import { searchErrors } from './errors.ts';
import { searchLimits, shorten } from './expression.ts';

interface At {
  /** Index of its first character. */
  readonly at: number;
  /** Its source text, for errors. */
  readonly text: string;
}

/** A quoted or unquoted piece of a name: `tags.`, then `` `my key` ``. */
export interface NamePiece {
  readonly text: string;
  readonly quote: '"' | '`' | undefined;
}

export type Token = At &
  (
    | { readonly kind: 'name'; readonly pieces: readonly NamePiece[] }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'operator' }
    | { readonly kind: '(' | ')' | ',' }
    | { readonly kind: 'end' }
  );

const space = /\s*/y;
const operator = /[<>=!~]+/y;
/** An inner quote is doubled or escaped by a backslash. A backslash before the closing quote is literal. */
const singleQuoted = /'(?:''|\\'|[^'])*'/y;
const quotedName = { '"': /"(?:""|[^"])*"/y, '`': /`(?:``|[^`])*`/y } as const;
const bareName = /[^\s<>=!~()'"`,]+/y;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Splits a filter or an order into tokens. Unquoted names contain neither spaces nor signs of the language; names in
 * backticks or double quotes contain anything.
 *
 * @throws INVALID_ARGUMENT with the position
 */
export function tokenize(text: string): readonly Token[] {
  if (text.length > searchLimits.filterCharacters)
    throw searchErrors.filterTooLong({ maxCharacters: searchLimits.filterCharacters });
  if (!text.isWellFormed()) throw searchErrors.filterNotUnicode();
  const tokens: Token[] = [];
  let at = match(space, text, 0)?.length ?? 0;
  while (at < text.length) {
    const token = readToken(text, at);
    tokens.push(token);
    at += token.text.length;
    at += match(space, text, at)?.length ?? 0;
  }
  tokens.push({ kind: 'end', at, text: '' });
  return tokens;
}

function readToken(text: string, at: number): Token {
  const first = text[at]!;
  if (first === '(' || first === ')' || first === ',') return { kind: first, at, text: first };
  const sign = match(operator, text, at);
  if (sign !== undefined) return { kind: 'operator', at, text: sign };
  if (first === "'") {
    const quoted = match(singleQuoted, text, at);
    if (quoted === undefined)
      throw searchErrors.stringNotClosed({ text: shorten(text.slice(at)), character: at + 1 });
    return { kind: 'string', at, text: quoted, value: quoted.slice(1, -1).replaceAll(/''|\\'/g, "'") };
  }
  return readName(text, at);
}

function readName(text: string, start: number): Token {
  const pieces: NamePiece[] = [];
  let at = start;
  while (at < text.length) {
    const next = text[at]!;
    const quote = next === '"' || next === '`' ? next : undefined;
    const piece = match(quote === undefined ? bareName : quotedName[quote], text, at);
    if (piece === undefined) {
      if (quote === undefined) break;
      throw searchErrors.nameNotClosed({ text: shorten(text.slice(at)), quote, character: at + 1 });
    }
    pieces.push({
      text: quote === undefined ? piece : piece.slice(1, -1).replaceAll(quote + quote, quote),
      quote,
    });
    at += piece.length;
  }
  const whole = text.slice(start, at);
  return number.test(whole)
    ? { kind: 'number', at: start, text: whole, value: Number(whole) }
    : { kind: 'name', at: start, text: whole, pieces };
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Whether a token is a keyword, in any case. */
export function isWord(token: Token, word: string): boolean {
  return token.kind === 'name' && token.text.toUpperCase() === word;
}

/** Splits `metrics.a.b` into the entity `metrics` and the key `a.b`; a name without a dot is a bare key. */
export function splitName(pieces: readonly NamePiece[]): {
  readonly entity: string | undefined;
  readonly key: string;
} {
  const [first, second, ...others] = pieces;
  const join = (parts: readonly NamePiece[]) => parts.map(({ text }) => text).join('');
  if (first!.quote === undefined) {
    const point = first!.text.indexOf('.');
    if (point >= 0)
      return {
        entity: first!.text.slice(0, point),
        key: first!.text.slice(point + 1) + join(pieces.slice(1)),
      };
  } else if (second?.quote === undefined && second?.text.startsWith('.')) {
    return { entity: first!.text, key: second.text.slice(1) + join(others) };
  }
  return { entity: undefined, key: join(pieces) };
}
