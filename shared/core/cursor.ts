import type { z } from 'zod';
import { defineErrors, errorKind } from './error-kinds.ts';
import { sha256 } from './ids.ts';
import { canonicalJson, type JsonValue, tryParseJson } from './json/json.ts';

/** The version of the cursor format. */
const version = '1';
const queryDigestLength = 16;
const checksumLength = 8;
const headLength = version.length + queryDigestLength + checksumLength;

/**
 * Encodes the position of the next page as an opaque, URL-safe cursor for one query. Callers can decode and forge
 * cursors, so a position must not grant access to anything.
 *
 * @param query everything that the position depends on; not the page size, which may change between pages
 * @example
 * openCursor({ dataset: 'flights' }, sealCursor({ dataset: 'flights' }, [3, 7]), z.tuple([z.int(), z.int()])) // [3, 7]
 */
export function sealCursor(query: JsonValue, position: JsonValue): string {
  return seal(digestOf(query), JSON.stringify(position));
}

/**
 * Decodes a cursor.
 *
 * @param schema of the position
 * @returns the position that `sealCursor` encoded
 * @throws INVALID_ARGUMENT for a cursor of another query, a damaged cursor and any other text
 */
export function openCursor<T>(query: JsonValue, cursor: string, schema: z.ZodType<T>): T {
  const text = Buffer.from(cursor, 'base64url').toString();
  const queryDigest = text.slice(version.length, version.length + queryDigestLength);
  const position = text.slice(headLength);
  // Compare with a new encoding, because several Base64 texts decode to the same bytes.
  if (seal(queryDigest, position) !== cursor) throw cursorErrors.cursorInvalid();
  if (queryDigest !== digestOf(query)) throw cursorErrors.cursorOfOtherQuery();
  const parsed = schema.safeParse(tryParseJson(position));
  if (!parsed.success) throw cursorErrors.cursorInvalid();
  return parsed.data;
}

export const cursorErrors = defineErrors({
  cursorInvalid: errorKind(
    'INVALID_ARGUMENT',
    () => 'Invalid cursor: pass the cursor of the previous page unchanged.',
  ),
  cursorOfOtherQuery: errorKind('INVALID_ARGUMENT', () => 'The cursor belongs to another query.'),
});

function seal(queryDigest: string, position: string): string {
  const checksum = sha256(`${queryDigest}${position}`).slice(0, checksumLength);
  return Buffer.from(`${version}${queryDigest}${checksum}${position}`).toString('base64url');
}

function digestOf(query: JsonValue): string {
  return sha256(canonicalJson(query)).slice(0, queryDigestLength);
}
