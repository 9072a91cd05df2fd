import { z } from 'zod';

/** The name of a dataset. It also names a folder, so it has no dots. */
export const datasetName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be 1–63 of a–z, 0–9, "_" and "-", starting with a letter')
  .meta({ examples: ['flights'] });
