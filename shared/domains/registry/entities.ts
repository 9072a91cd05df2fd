import { z } from 'zod';
import { jsonValueSchema } from '../../core/validate.ts';
import { checkAliasName, checkModelName } from './rules.ts';
import { stages } from './stage-names.ts';

const obeys = (check: (text: string) => void) => (text: string, context: z.RefinementCtx) => {
  try {
    check(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is not valid' });
  }
};

/** Any text without `/` and `:`. */
export const modelName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^/:]+$/, 'must not contain "/" or ":"')
  .superRefine(obeys(checkModelName));

/** Letters, digits, `_` and `-`. */
export const aliasName = z.string().min(1).max(255).superRefine(obeys(checkAliasName));

/** The alias that deployments move, and that scoring uses by default. */
export const productionAlias = 'production';

const tagsSchema = z.record(z.string(), z.string());
/** Keys are users' names: build by Object.fromEntries, read by Object.entries and Object.hasOwn. */
export type Tags = Readonly<Record<string, string>>;

const valueSchema = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([z.number(), z.string()])).readonly(),
});

/** The inputs and outputs that a model file declares. */
export const modelSignatureSchema = z.object({
  inputs: z.array(valueSchema).readonly(),
  outputs: z.array(valueSchema).readonly(),
  opsets: z.array(z.object({ domain: z.string(), version: z.number() })).readonly(),
  irVersion: z.number(),
  producer: z.string(),
});
export type ModelSignature = z.infer<typeof modelSignatureSchema>;

/** Whether a version can be served, checked when it was registered. */
export const servingSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ready') }),
  z.object({ status: z.literal('unservable'), reason: z.string() }),
  /** There is no file to check, or it could not be read. */
  z.object({ status: z.literal('notChecked'), reason: z.string() }),
]);
export type ServingCheck = z.infer<typeof servingSchema>;

/** The model file that is served. */
export const modelFileSchema = z.object({
  container: z.string(),
  name: z.string(),
  sha256: z.string(),
  sizeBytes: z.int(),
});
export type ModelFile = z.infer<typeof modelFileSchema>;

/** Where a version came from, as far as known. */
export const modelLineageSchema = z.object({
  /** The pipeline run that registered it. */
  runId: z.string().optional(),
  /** The tracking run that made it. */
  trackingRunId: z.string().optional(),
  codeVersion: z.string().optional(),
  /** The pinned dataset version that a pipeline trained on. */
  dataset: z.object({ name: z.string(), version: z.int(), sha256: z.string() }).optional(),
  /** The datasets that the tracking run logged as inputs. */
  inputs: z
    .array(z.object({ name: z.string(), digest: z.string() }))
    .readonly()
    .optional(),
  /** The resolved training spec. */
  training: jsonValueSchema.optional(),
});
export type ModelLineage = z.infer<typeof modelLineageSchema>;

export const decisions = ['approve', 'reject'] as const;

/** A decision about a version. */
export const approvalSchema = z.object({
  approvalId: z.string(),
  version: z.int(),
  decision: z.enum(decisions),
  reason: z.string(),
  by: z.string(),
  at: z.number(),
});
export type Approval = z.infer<typeof approvalSchema>;

export const approvalPolicySchema = z.object({
  /** Aliases that move to approved versions only; a stage counts by its lower-case name. */
  aliases: z.array(aliasName).max(100).readonly(),
  /** Nobody approves a version that they registered. */
  distinctApprover: z.boolean(),
});
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>;

/** A model version, with its metrics and lineage. Times are milliseconds since the Unix epoch. */
export const modelVersionSchema = z.object({
  model: z.string(),
  /** 1 is the first. */
  version: z.int(),
  description: z.string(),
  stage: z.enum(stages),
  tags: tagsSchema,
  /** The source, as given by the caller. */
  source: z.string(),
  /** The URI to download its files from. */
  storageLocation: z.string(),
  /** The tracking run, as given by the caller. */
  runId: z.string().optional(),
  runLink: z.string().optional(),
  modelId: z.string().optional(),
  createdBy: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** Of the model file, if it could be opened. */
  sha256: z.string().optional(),
  sizeBytes: z.int().optional(),
  file: modelFileSchema.optional(),
  metrics: z.record(z.string(), z.number()),
  params: tagsSchema,
  lineage: modelLineageSchema,
  signature: modelSignatureSchema.optional(),
  serving: servingSchema,
  /** The newest decision. */
  approval: approvalSchema.optional(),
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** With the aliases that point at it. */
export const modelVersionViewSchema = modelVersionSchema.extend({ aliases: z.array(z.string()).readonly() });
export type ModelVersionView = z.infer<typeof modelVersionViewSchema>;

export const aliasSchema = z.object({
  model: z.string(),
  alias: z.string(),
  version: z.int(),
  previousVersion: z.int().nullable(),
  movedAt: z.number(),
  movedBy: z.string(),
});
export type Alias = z.infer<typeof aliasSchema>;

export const modelSchema = z.object({
  name: z.string(),
  description: z.string(),
  tags: tagsSchema,
  createdAt: z.number(),
  updatedAt: z.number(),
  /** The highest number issued, including deleted versions; 0 before the first. */
  latestVersion: z.int(),
  /** The version of each alias. */
  aliases: z.record(z.string(), z.int()),
  /** The highest version of each stage that has one. */
  latestByStage: z.partialRecord(z.enum(stages), z.int()),
  approvalPolicy: approvalPolicySchema.optional(),
});
export type Model = z.infer<typeof modelSchema>;
