import { z } from 'zod';
import { modes } from '../entities.ts';
import { columnSchema } from '../schema/column.ts';
import { constraintSchema } from '../schema/constraints.ts';
import type { Catalog } from './catalog.ts';
import type { DatasetDocuments, DocumentKind } from './dataset-documents.ts';

/** What a dataset's owner declares. Every member has a default: the first drop needs no settings. */
export const datasetSettingsSchema = z
  .object({
    description: z.string().max(4_000).default(''),
    /** For a file that does not name its mode. */
    mode: z.enum(modes).default('append'),
    /** The columns that identify a row, for `merge` and for diffs. */
    keys: z.array(z.string().min(1)).max(16).default([]),
    constraints: z.array(constraintSchema).max(500).default([]),
    /** The largest share of a file's rows that may be quarantined; above it the whole file is rejected. */
    maxBadFraction: z.number().min(0).max(1).default(0.01),
    /** Types of columns. The types of all others are inferred from the first file. */
    columns: z
      .array(columnSchema.pick({ name: true, type: true }).strict())
      .max(10_000)
      .default([]),
  })
  .strict()
  .refine(({ mode, keys }) => mode !== 'merge' || keys.length > 0, {
    message: 'are required for the mode "merge": name the columns that identify a row',
    path: ['keys'],
  });
export type DatasetSettings = z.infer<typeof datasetSettingsSchema>;

export const defaultSettings: DatasetSettings = datasetSettingsSchema.parse({});

export interface SettingsDeps {
  readonly documents: DatasetDocuments;
  readonly catalog: Pick<Catalog, 'declare'>;
}

/** The settings of datasets. */
export class Settings {
  readonly #deps: SettingsDeps;
  readonly #settings: DocumentKind<DatasetSettings>;

  constructor(deps: SettingsDeps) {
    this.#deps = deps;
    this.#settings = deps.documents.kind('settings');
  }

  /** The defaults for a dataset without settings, and for one that does not exist. */
  async get(dataset: string): Promise<DatasetSettings> {
    return (await this.#settings.find(dataset, 'settings')) ?? defaultSettings;
  }

  /** Replaces the settings, and creates the dataset unless it exists. */
  async put(dataset: string, settings: DatasetSettings, by: string): Promise<void> {
    await this.#deps.catalog.declare(dataset);
    await this.#settings.set(dataset, 'settings', settings, { by, action: 'dataset.settings.changed' });
  }
}
