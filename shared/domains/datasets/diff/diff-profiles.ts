import { z } from 'zod';
import type { ColumnProfile, Profile } from '../profiles/profile.ts';
import { columnTypeSchema } from '../schema/column.ts';
import { listFigures, measureChange, type Figure } from './profile-figures.ts';

const figureValue = z.union([z.number(), z.string()]);

export const profileDiffSchema = z.object({
  rows: z.object({ before: z.int(), after: z.int() }),
  /** Changed columns, the largest change first. */
  columns: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['added', 'removed', 'retyped', 'changed']),
      /** Omitted if the version lacks the column. */
      before: columnTypeSchema.optional(),
      after: columnTypeSchema.optional(),
      /** The largest change of its figures, 0–1; 1 for a column that was added, removed or retyped. */
      change: z.number(),
      /** The largest change first. */
      figures: z.array(
        z.object({
          /** `nulls`, `mean`, `quantile 0.5`, `rows of "red"`… */
          figure: z.string(),
          /** Omitted if the profile lacks the figure. */
          before: figureValue.optional(),
          after: figureValue.optional(),
          change: z.number(),
        }),
      ),
    }),
  ),
});
export type ProfileDiff = z.infer<typeof profileDiffSchema>;
type ColumnDiff = ProfileDiff['columns'][number];

/**
 * Compares the figures of two profiles. A change is a number from 0 to 1 that depends on the figure: for counts of rows
 * the difference of their shares, |b/rows_b - a/rows_a|; for values (min, max, mean, quantiles) the difference relative
 * to the range of both versions, |b - a| / (max - min); for sizes (std, distinct, lengths) relative to the larger one,
 * |b - a| / max(|a|, |b|); for texts, which have no distance, 0. Equal changes keep the order of the columns.
 */
export function diffProfiles(before: Profile, after: Profile): ProfileDiff {
  const was = new Map(before.columns.map((column) => [column.name, column]));
  const is = new Set(after.columns.map(({ name }) => name));
  const columns = [
    ...after.columns.map((column) => diffColumn(was.get(column.name), column, before.rows, after.rows)),
    ...before.columns
      .filter(({ name }) => !is.has(name))
      .map(({ name, type }): ColumnDiff => ({ name, kind: 'removed', before: type, change: 1, figures: [] })),
  ];
  return {
    rows: { before: before.rows, after: after.rows },
    columns: columns.filter((column) => column !== undefined).sort((a, b) => b.change - a.change),
  };
}

function diffColumn(
  before: ColumnProfile | undefined,
  after: ColumnProfile,
  rowsBefore: number,
  rowsAfter: number,
): ColumnDiff | undefined {
  const { name, type } = after;
  if (before === undefined) return { name, kind: 'added', after: type, change: 1, figures: [] };
  const types = { before: before.type, after: type };
  if (before.type !== type) return { name, kind: 'retyped', ...types, change: 1, figures: [] };
  const old = new Map(listFigures(before).map((figure) => [figure.figure, figure]));
  const fresh = new Map(listFigures(after).map((figure) => [figure.figure, figure]));
  const context = { before, after, rowsBefore, rowsAfter };
  const figures = [...new Set([...fresh.keys(), ...old.keys()])]
    .map((figure) => ({ figure, a: old.get(figure), b: fresh.get(figure) }))
    .filter(({ a, b }) => a?.value !== b?.value && !isUnsure(a, b, before) && !isUnsure(b, a, after))
    .map(({ figure, a, b }) => ({
      figure,
      ...(a === undefined ? {} : { before: a.value }),
      ...(b === undefined ? {} : { after: b.value }),
      change: measureChange(a, b, context),
    }))
    .sort((x, y) => y.change - x.change);
  const [biggest] = figures;
  return biggest && { name, kind: 'changed', ...types, change: biggest.change, figures };
}

/** Whether a value is missing from the top values of a profile but may be in the column. */
function isUnsure(
  figure: Figure | undefined,
  other: Figure | undefined,
  { top, distinct }: ColumnProfile,
): boolean {
  return figure === undefined && other?.unit === 'top' && (top?.length ?? 0) < distinct;
}
