import { z } from 'zod';
import { jsonValueSchema } from '../core/validate.ts';

export const modelName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be 1–63 of a–z, 0–9, "_" and "-", starting with a letter');

export const aliasName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be 1–63 of a–z, 0–9, "_" and "-", starting with a letter');

/** The alias that a deployment moves and that scoring follows unless told otherwise. */
export const productionAlias = 'production';

/** A model version: the bytes' hash, how good they are, and everything needed to make them again. */
export const modelVersionSchema = z.object({
  model: modelName,
  /** 1 is the first. */
  version: z.int(),
  sha256: z.string(),
  sizeBytes: z.int(),
  metrics: z.record(z.string(), z.number()),
  lineage: z.object({
    runId: z.string(),
    codeVersion: z.string(),
    dataset: z.object({ name: z.string(), version: z.int(), sha256: z.string() }),
    /** The resolved training spec. */
    training: jsonValueSchema,
  }),
  createdAt: z.number(),
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

export const aliasSchema = z.object({
  model: modelName,
  alias: aliasName,
  version: z.int(),
  previousVersion: z.int().nullable(),
  movedAt: z.number(),
  movedBy: z.string(),
});
export type Alias = z.infer<typeof aliasSchema>;

export const modelSchema = z.object({ name: modelName, latestVersion: z.int(), updatedAt: z.number() });
export type Model = z.infer<typeof modelSchema>;
