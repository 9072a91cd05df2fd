import type { z } from 'zod';
import { openCursor, sealCursor } from '../../core/cursor.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import type { DocumentQuery } from './documents.ts';

/** Makes a cursor of an adapter's position, valid for the same query and kind of store. */
export function sealDocumentCursor(adapter: string, query: DocumentQuery, position: JsonValue): string {
  return sealCursor(toIdentity(adapter, query), position);
}

/**
 * @returns the position that `sealDocumentCursor` was given; undefined for a query without a cursor
 * @throws INVALID_ARGUMENT for a cursor of another query or adapter, or a damaged one
 */
export function openDocumentCursor<T>(
  adapter: string,
  query: DocumentQuery,
  schema: z.ZodType<T>,
): T | undefined {
  return query.cursor === undefined
    ? undefined
    : openCursor(toIdentity(adapter, query), query.cursor, schema);
}

function toIdentity(adapter: string, query: DocumentQuery): JsonObject {
  const { container, partition = null, filter = null, sort = null } = query;
  return { adapter, container, partition, filter, sort } as JsonObject;
}
