import type { Column } from './column.ts';

/**
 * Whether two lists hold the same columns in the same order. Notes may differ.
 *
 * @example
 * areSameColumns([{ name: 'a', type: 'date', nullable: true }], [{ name: 'a', type: 'date', nullable: true, note: 'x' }]) // true
 * areSameColumns([{ name: 'a', type: 'date', nullable: true }], [{ name: 'a', type: 'timestamp', nullable: true }]) // false
 */
export function areSameColumns(a: readonly Column[], b: readonly Column[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, type, nullable }, index) => {
      const other = b[index]!;
      return name === other.name && type === other.type && nullable === other.nullable;
    })
  );
}
