import type { JsonObject } from '../../core/json/json.ts';
import { isJsonObject, memberAt } from '../../core/json/member-at.ts';
import type { FieldPath } from '../storage/documents.ts';

/** The names of the members at a path; empty without an object. */
export function namesAt(body: JsonObject, path: FieldPath): readonly string[] {
  const value = memberAt(body, path);
  return value !== undefined && isJsonObject(value) ? Object.keys(value) : [];
}

/** The stored form of a number: infinities, which JSON does not have, are ±Number.MAX_VALUE. */
export function toFinite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
