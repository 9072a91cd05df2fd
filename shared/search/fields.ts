import type { JsonObject, JsonValue } from '../core/json.ts';
import { isArray } from '../core/json.ts';
import type { FieldPath } from '../storage/documents.ts';

/** @returns the member at a path; undefined when a step is missing, or is not an object. */
export function valueAt(body: JsonObject, path: FieldPath): JsonValue | undefined {
  let value: JsonValue | undefined = body;
  for (const name of path) {
    if (value === undefined || !isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The names of the members at a path; none when there is no object. */
export function namesAt(body: JsonObject, path: FieldPath): readonly string[] {
  const value = valueAt(body, path);
  return value !== undefined && isObject(value) ? Object.keys(value) : [];
}

function isObject(value: JsonValue): value is JsonObject {
  return value !== null && typeof value === 'object' && !isArray(value);
}

/** By code point, as the stores compare: JavaScript's own `<` goes by UTF-16 units. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA === unitB) continue;
    const astralA = unitA >= 0xd800 && unitA <= 0xdfff;
    const astralB = unitB >= 0xd800 && unitB <= 0xdfff;
    return astralA === astralB ? unitA - unitB : astralA ? 1 : -1;
  }
  return a.length - b.length;
}

/** What stands in a document for an infinite number, which JSON cannot say. */
export function toFinite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
