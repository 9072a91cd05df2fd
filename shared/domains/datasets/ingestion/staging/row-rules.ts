import type { Column } from '../../schema/column.ts';
import type { RowConstraint } from '../../schema/constraints.ts';
import { fromDeltaColumns } from '../../tables/delta-columns.ts';
import type { LandedFile } from './landed-file.ts';

/** The columns of the table; undefined before the first version. */
export function contractOf({ snapshot }: Pick<LandedFile, 'snapshot'>): readonly Column[] | undefined {
  return snapshot && fromDeltaColumns(snapshot.columns);
}

/** Whether rows must be unique in some columns, so that duplicates have to be removed after conversion. */
export function hasUniqueRows({ mode, settings }: Pick<LandedFile, 'mode' | 'settings'>): boolean {
  return mode === 'merge' || settings.constraints.some(({ kind }) => kind === 'unique');
}

/**
 * The constraints on single rows: those of the settings, and that keys of a merge are not null. Constraints on columns
 * that do not exist are ignored.
 */
export function rowRulesOf(
  { mode, keys, settings }: Pick<LandedFile, 'mode' | 'keys' | 'settings'>,
  columns: readonly Column[],
): readonly RowConstraint[] {
  const names = new Set(columns.map(({ name }) => name));
  const rules = settings.constraints.filter((rule) => rule.kind !== 'unique');
  const ofKeys = mode === 'merge' ? keys.map((column): RowConstraint => ({ kind: 'notNull', column })) : [];
  return [...ofKeys, ...rules].filter(({ column }) => names.has(column));
}
