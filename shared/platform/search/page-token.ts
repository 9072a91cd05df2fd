import { z } from 'zod';
import { cursorErrors, openCursor, sealCursor } from '../../core/cursor.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import type { SortKey } from './sort-keys.ts';

/** Where a page resumes. */
export interface Resume {
  /** The keys of the last document on the page before: what follows comes after it, whatever was added or removed. */
  readonly after?: readonly SortKey[] | undefined;
  /** How far a search has looked that has not found enough yet. */
  readonly position?: SearchPosition | undefined;
}

/** A position in the order: documents with shared keys, from a value of the next key on. */
export interface SearchPosition {
  /** The keys of the first terms, which all documents of the stretch share. */
  readonly shared: readonly SortKey[];
  readonly phase: SortKey['phase'];
  readonly from?: { readonly value: number | string | boolean; readonly isInclusive: boolean } | undefined;
  /** The store's own cursor, within this query. */
  readonly cursor?: string | undefined;
}

const scalarSchema = z.union([z.number(), z.string(), z.boolean()]);
const sortKeySchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('value'), value: scalarSchema }),
  z.strictObject({ phase: z.literal('nan') }),
  z.strictObject({ phase: z.literal('missing') }),
]);
const resumeSchema = z.strictObject({
  after: z.array(sortKeySchema).optional(),
  position: z
    .strictObject({
      shared: z.array(sortKeySchema),
      phase: z.enum(['value', 'nan', 'missing']),
      from: z.strictObject({ value: scalarSchema, isInclusive: z.boolean() }).optional(),
      cursor: z.string().optional(),
    })
    .optional(),
});

/** @param query everything that makes up the query: a token fits no other */
export function sealPageToken(query: JsonObject, resume: Resume): string {
  return sealCursor(query, resume as JsonValue);
}

/**
 * @param terms how many terms the order has
 * @throws INVALID_ARGUMENT for a token of another query, or a damaged one
 */
export function openPageToken(query: JsonObject, terms: number, token: string): Resume {
  const resume = openCursor(query, token, resumeSchema);
  const { after, position } = resume;
  if (after && after.length !== terms) throw cursorErrors.cursorInvalid();
  if (position && position.shared.length >= terms) throw cursorErrors.cursorInvalid();
  return resume;
}
