import type { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { canonicalJson, tryParseJson } from '../../core/json.ts';
import { invalid } from './document-rules.ts';
import type { DocumentQuery } from './documents.ts';

/**
 * Wraps an adapter's own position in an opaque cursor that only fits the same query on the same kind of store.
 * The page size is no part of that: it may change from page to page.
 */
export function encodeCursor(adapter: string, query: DocumentQuery, position: JsonValue): string {
  return Buffer.from(JSON.stringify([1, adapter, queryDigest(query), position])).toString('base64url');
}

/**
 * @returns the position that was given to `encodeCursor`.
 * @throws INVALID_ARGUMENT for a cursor of another query or adapter, or one that was changed
 */
export function decodeCursor(adapter: string, query: DocumentQuery, cursor: string): JsonValue {
  const parts = tryParseJson(Buffer.from(cursor, 'base64url').toString());
  if (!Array.isArray(parts) || parts.length !== 4 || parts[0] !== 1 || parts[1] !== adapter)
    throw badCursor();
  if (parts[2] !== queryDigest(query)) throw badCursor();
  return parts[3] as JsonValue;
}

export function badCursor(): AppError {
  return invalid('The cursor is not one of this query.', {});
}

function queryDigest(query: DocumentQuery): string {
  const { container, partition = null, filter = null, sort = null } = query;
  return sha256(canonicalJson({ container, partition, filter, sort } as JsonObject)).slice(0, 32);
}
