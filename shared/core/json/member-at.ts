import { isArray, type JsonObject, type JsonValue } from './json.ts';

/**
 * @returns the member at a path; undefined when a step is missing or not an object
 * @example
 * memberAt({ metrics: { auc: 0.7 } }, ['metrics', 'auc']) // 0.7
 */
export function memberAt(body: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = body;
  for (const name of path) {
    if (value === undefined || !isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Whether a value is an object, not null or an array. */
export function isJsonObject(value: JsonValue): value is JsonObject {
  return value !== null && typeof value === 'object' && !isArray(value);
}
