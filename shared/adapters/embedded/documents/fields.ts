import { compareCodePoints } from '../../../core/names/code-points.ts';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import { isArray } from '../../../core/json/json.ts';
import type { FieldPath, Scalar } from '../../../platform/storage/documents.ts';
import { unindexedMembers } from '../../../platform/storage/document-query-rules.ts';

/** In the order of Cosmos: booleans before numbers before strings. */
export const fieldTypes = { boolean: 1, number: 2, string: 3 } as const;
export type FieldType = (typeof fieldTypes)[keyof typeof fieldTypes];

/** An indexed scalar: booleans as 0 and 1, strings cut to 1,024 code points. */
export interface IndexValue {
  readonly type: FieldType;
  readonly value: number | string;
}

export interface IndexedField extends IndexValue {
  readonly path: string;
}

export const indexedCodePoints = 1_024;

/** @returns undefined for values that are not indexed: missing, null, arrays and objects */
export function toIndexValue(value: JsonValue | undefined): IndexValue | undefined {
  if (typeof value === 'boolean') return { type: fieldTypes.boolean, value: Number(value) };
  if (typeof value === 'number') return { type: fieldTypes.number, value };
  if (typeof value === 'string') return { type: fieldTypes.string, value: cutString(value) };
  return undefined;
}

/** @returns whether the index may have cut this value, so that a bound on it is not exact */
export function mayBeCut(value: Scalar): boolean {
  return typeof value === 'string' && value.length >= indexedCodePoints;
}

/** Cuts by code points, because cutting by UTF-16 units would not preserve the order. */
function cutString(text: string): string {
  if (text.length <= indexedCodePoints) return text;
  let end = 0;
  for (let points = 0; points < indexedCodePoints && end < text.length; points += 1)
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/** Encodes a path for the index, unambiguously for any characters. */
export function pathName(path: FieldPath): string {
  return path.map((name) => JSON.stringify(name)).join('.');
}

/** Collects the scalar members of a body at any depth, except inside arrays and unindexed members. */
export function indexedFields(body: JsonObject): IndexedField[] {
  const fields: IndexedField[] = [];
  for (const [name, member] of Object.entries(body))
    if (!unindexedMembers.has(name)) collect(JSON.stringify(name), member, fields);
  return fields;
}

function collect(path: string, value: JsonValue, fields: IndexedField[]): void {
  const indexed = toIndexValue(value);
  if (indexed !== undefined) {
    fields.push({ path, type: indexed.type, value: indexed.value });
  } else if (value !== null && typeof value === 'object' && !isArray(value)) {
    for (const [name, member] of Object.entries(value))
      collect(`${path}.${JSON.stringify(name)}`, member, fields);
  }
}

/** Negative, zero or positive, in the order of the index. */
export function compareIndexValues(a: IndexValue, b: IndexValue): number {
  if (a.type !== b.type) return a.type - b.type;
  if (typeof a.value === 'string' && typeof b.value === 'string') return compareCodePoints(a.value, b.value);
  return Number(a.value) - Number(b.value);
}
