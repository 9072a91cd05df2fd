import type { CategoryKeys, FeatureColumn } from '../entities.ts';

export type CategoricalColumn = Extract<FeatureColumn, { kind: 'categorical' }>;

/**
 * Counts the given rows in each category. A column's keys are those of the whole table, and of a calendar part all that
 * there can be: a trainer may learn only from those that its rows have.
 *
 * @returns One count a key, by code. Rows without a category count nowhere.
 * @example
 * const column = { kind: 'categorical', name: 'x', codes: Int32Array.of(2, -1, 2, 0), keys: { type: 'string', values: ['a', 'b', 'c'] } };
 * countCategories(column, Int32Array.of(0, 1, 2)) // Int32Array.of(0, 0, 2)
 */
export function countCategories({ codes, keys }: CategoricalColumn, rows: Int32Array): Int32Array {
  const counts = new Int32Array(keys.values.length);
  for (const row of rows) {
    const code = codes[row]!;
    if (code >= 0) counts[code] = counts[code]! + 1;
  }
  return counts;
}

/**
 * The keys of some codes, in the order of the codes.
 *
 * @example
 * pickKeys({ type: 'string', values: ['a', 'b', 'c'] }, [0, 2]) // { type: 'string', values: ['a', 'c'] }
 */
export function pickKeys(keys: CategoryKeys, codes: readonly number[]): CategoryKeys {
  return keys.type === 'string'
    ? { type: 'string', values: codes.map((code) => keys.values[code]!) }
    : { type: 'int64', values: codes.map((code) => keys.values[code]!) };
}
