import type { JsonObject } from '../../core/json/json.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { withEntry, withoutEntry } from './documents.ts';
import type { Tags } from './entities.ts';

/** The result of a change: the same body, and no entries, when there is nothing to write. */
export interface BodyChange<Body> {
  readonly body: Body;
  readonly entries: readonly AuditEntry[];
}

/** Who changed what: an event without its before and after. */
export type ChangeOrigin = Pick<AuditEntry, 'by' | 'action' | 'subject'>;

/** @param value null deletes the tag */
export function changeTag<Body extends { readonly tags: Tags }>(
  body: Body,
  key: string,
  value: string | null,
  origin: ChangeOrigin,
): BodyChange<Body> {
  const before = Object.hasOwn(body.tags, key) ? body.tags[key]! : null;
  if (before === value) return { body, entries: [] };
  const tags = value === null ? withoutEntry(body.tags, key) : withEntry(body.tags, key, value);
  const member = (text: string | null): JsonObject => ({ tags: Object.fromEntries([[key, text]]) });
  return { body: { ...body, tags }, entries: [{ ...origin, before: member(before), after: member(value) }] };
}

/** @param touched the body with its new time, which also a repeated description gets */
export function changeDescription<Body extends { readonly detail: { readonly description: string } }>(
  touched: Body,
  description: string,
  origin: ChangeOrigin,
): BodyChange<Body> {
  const before = touched.detail.description;
  const body = { ...touched, detail: { ...touched.detail, description } };
  if (before === description) return { body, entries: [] };
  return { body, entries: [{ ...origin, before: { description: before }, after: { description } }] };
}
