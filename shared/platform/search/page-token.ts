import { sha256 } from '../../core/ids.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { canonicalJson, isArray, tryParseJson } from '../../core/json.ts';
import { refuse } from './expression.ts';
import type { SortKey } from './sort-keys.ts';

/** Where a page goes on. */
export interface Resume {
  /** The keys of the last document that was given out: what follows comes after it, whatever has come or gone. */
  readonly after?: readonly SortKey[];
  /** How far a search has looked that has not found (enough) yet. */
  readonly position?: Position;
}

/** A place in the order: the documents with certain keys, from a value of the next key on. */
export interface Position {
  /** The keys that all documents of this stretch share, for the first terms. */
  readonly shared: readonly SortKey[];
  readonly phase: SortKey['phase'];
  readonly from?: { readonly value: number | string | boolean; readonly isInclusive: boolean };
  /** The store's own, within this very query. */
  readonly cursor?: string;
}

const version = 1;

/** @param query everything that makes the query what it is: a token fits no other */
export function encodeToken(query: JsonObject, resume: Resume): string {
  const { after, position } = resume;
  const parts: JsonValue = [
    version,
    digest(query),
    after === undefined ? null : after.map(formatKey),
    position === undefined ? null : formatPosition(position),
  ];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * @param terms how many terms the order has
 * @throws INVALID_ARGUMENT for a token of another query, or one that was changed
 */
export function decodeToken(query: JsonObject, terms: number, token: string): Resume {
  const parts = tryParseJson(Buffer.from(token, 'base64url').toString());
  if (parts === undefined || !isArray(parts) || parts.length !== 4 || parts[0] !== version)
    throw refuse('Invalid page token, it is not one that this server gave out.');
  if (parts[1] !== digest(query))
    throw refuse(
      'Invalid page token, it belongs to another search: filter, order_by and experiments must stay the same from page to page.',
    );
  const after = parts[2] === null ? undefined : parseKeys(parts[2]);
  if (after !== undefined && after.length !== terms) throw damaged();
  const position = parts[3] === null ? undefined : parsePosition(parts[3]!, terms);
  return { ...(after && { after }), ...(position && { position }) };
}

function digest(query: JsonObject): string {
  return sha256(canonicalJson(query)).slice(0, 32);
}

function formatPosition({ shared, phase, from, cursor }: Position): JsonValue {
  return [
    shared.map(formatKey),
    phase,
    from === undefined ? null : [from.value, from.isInclusive],
    cursor ?? null,
  ];
}

function parsePosition(value: JsonValue, terms: number): Position {
  if (!isArray(value)) throw damaged();
  const [shared, phase, from, cursor] = value;
  if (phase !== 'value' && phase !== 'nan' && phase !== 'missing') throw damaged();
  const keys = parseKeys(shared);
  if (keys.length >= terms) throw damaged();
  if (cursor !== null && typeof cursor !== 'string') throw damaged();
  return {
    shared: keys,
    phase,
    ...(from === null ? {} : { from: parseFrom(from) }),
    ...(cursor === null ? {} : { cursor }),
  };
}

function parseFrom(value: JsonValue | undefined): NonNullable<Position['from']> {
  if (value === undefined || value === null || !isArray(value)) throw damaged();
  const [bound, isInclusive] = value;
  if (!isScalar(bound) || typeof isInclusive !== 'boolean') throw damaged();
  return { value: bound, isInclusive };
}

function formatKey(key: SortKey): JsonValue {
  return key.phase === 'value' ? [key.value] : key.phase;
}

function parseKeys(value: JsonValue | undefined): readonly SortKey[] {
  if (value === undefined || value === null || !isArray(value)) throw damaged();
  return value.map((key) => {
    if (key === 'nan' || key === 'missing') return { phase: key };
    const scalar = key !== null && isArray(key) ? key[0] : undefined;
    if (!isScalar(scalar)) throw damaged();
    return { phase: 'value', value: scalar };
  });
}

function isScalar(value: JsonValue | undefined): value is number | string | boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}

function damaged() {
  return refuse('Invalid page token, it was changed on its way.');
}
