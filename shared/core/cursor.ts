import type { z } from 'zod';
import { defineErrors, errorKind } from './error-kinds.ts';
import { sha256 } from './ids.ts';
import { canonicalJson, type JsonValue, tryParseJson } from './json.ts';

/** Of the layout of cursors, not of what a query puts into them. */
const version = '1';
const queryDigestLength = 16;
const checksumLength = 8;
const headLength = version.length + queryDigestLength + checksumLength;

/**
 * Makes an opaque, URL-safe cursor of the place where the next page begins. It fits only the query it was sealed for.
 * It is no secret, and no proof against a caller who forges one: a position must not grant anything.
 *
 * @param query all that the position depends on, but not the page size, which may change from page to page
 * @example
 * openCursor({ dataset: 'flights' }, sealCursor({ dataset: 'flights' }, [3, 7]), z.tuple([z.int(), z.int()])) // [3, 7]
 */
export function sealCursor(query: JsonValue, position: JsonValue): string {
  return seal(digestOf(query), JSON.stringify(position));
}

/**
 * Reads a cursor back.
 *
 * @param schema of the position
 * @returns the position that was given to `sealCursor`
 * @throws INVALID_ARGUMENT for a cursor of another query, a damaged one, and any other text
 */
export function openCursor<T>(query: JsonValue, cursor: string, schema: z.ZodType<T>): T {
  const text = Buffer.from(cursor, 'base64url').toString();
  const queryDigest = text.slice(version.length, version.length + queryDigestLength);
  const position = text.slice(headLength);
  // Sealing it again checks the version, the checksum and the encoding, in which one cursor has many spellings.
  if (seal(queryDigest, position) !== cursor) throw cursorErrors.cursorInvalid();
  if (queryDigest !== digestOf(query)) throw cursorErrors.cursorOfOtherQuery();
  const parsed = schema.safeParse(tryParseJson(position));
  if (!parsed.success) throw cursorErrors.cursorInvalid();
  return parsed.data;
}

export const cursorErrors = defineErrors({
  cursorInvalid: errorKind(
    'INVALID_ARGUMENT',
    () => 'Invalid cursor: pass the cursor of the previous page on, unchanged.',
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
