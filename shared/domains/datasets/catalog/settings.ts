import { z } from 'zod';
import { modes } from '../entities.ts';
import { columnSchema } from '../schema/column.ts';
import { constraintSchema } from '../schema/constraints.ts';

/** What a dataset's owner declares; every member has a default, so that a first drop needs none. */
export const datasetSettingsSchema = z
  .object({
    description: z.string().max(4_000).default(''),
    /** How a file comes in that does not say so itself. */
    mode: z.enum(modes).default('append'),
    /** The columns that tell rows apart: for `merge`, and for diffs. */
    keys: z.array(z.string().min(1)).max(16).default([]),
    constraints: z.array(constraintSchema).max(500).default([]),
    /** The share of a file's rows that may be quarantined; more, and the whole file is refused. */
    maxBadFraction: z.number().min(0).max(1).default(0.01),
    /** The types of columns, instead of inferring them from the first file. Others are inferred. */
    columns: z
      .array(columnSchema.pick({ name: true, type: true }))
      .max(10_000)
      .default([]),
  })
  .strict()
  .refine(({ mode, keys }) => mode !== 'merge' || keys.length > 0, {
    message: 'are needed for the mode "merge": name the columns that tell rows apart',
    path: ['keys'],
  });
export type DatasetSettings = z.infer<typeof datasetSettingsSchema>;

export const defaultSettings: DatasetSettings = datasetSettingsSchema.parse({});
