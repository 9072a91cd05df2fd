import { z } from 'zod';
import { jsonValueSchema } from '../../core/validate.ts';
import { checkAliasName, checkModelName } from './rules.ts';

const obeys = (check: (text: string) => void) => (text: string, context: z.RefinementCtx) => {
  try {
    check(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is not valid' });
  }
};

/** As MLflow's: any text without `/` and `:`. */
export const modelName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^/:]+$/, 'must not contain "/" or ":"')
  .superRefine(obeys(checkModelName));

/** Letters, digits, `_` and `-`; `latest` and `v1` mean versions already. */
export const aliasName = z.string().min(1).max(255).superRefine(obeys(checkAliasName));

/** The alias that a deployment moves and that scoring follows unless told otherwise. */
export const productionAlias = 'production';

export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof stages)[number];

const tagsSchema = z.record(z.string(), z.string());
/** By names that users chose: made by Object.fromEntries, read by Object.entries and Object.hasOwn. */
export type Tags = Readonly<Record<string, string>>;

const valueSchema = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([z.number(), z.string()])).readonly(),
});

/** What a model file says it takes and gives. */
export const modelSignatureSchema = z.object({
  inputs: z.array(valueSchema).readonly(),
  outputs: z.array(valueSchema).readonly(),
  opsets: z.array(z.object({ domain: z.string(), version: z.number() })).readonly(),
  irVersion: z.number(),
  producer: z.string(),
});
export type ModelSignature = z.infer<typeof modelSignatureSchema>;

/** Whether a version can answer requests, found when it was registered. */
export const servingSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ready') }),
  z.object({ status: z.literal('unservable'), reason: z.string() }),
  /** There is no model file that this platform could open; or it could not be read just then. */
  z.object({ status: z.literal('notChecked'), reason: z.string() }),
]);
export type Serving = z.infer<typeof servingSchema>;

/** The bytes that are served: their place and hash. */
export const modelFileSchema = z.object({
  container: z.string(),
  name: z.string(),
  sha256: z.string(),
  sizeBytes: z.int(),
});
export type ModelFile = z.infer<typeof modelFileSchema>;

/** Where a version came from: what is known of it. */
export const lineageSchema = z.object({
  /** The pipeline run that registered it. */
  runId: z.string().optional(),
  /** The tracking run that made it. */
  trackingRunId: z.string().optional(),
  codeVersion: z.string().optional(),
  /** The pinned dataset version that a pipeline trained on. */
  dataset: z.object({ name: z.string(), version: z.int(), sha256: z.string() }).optional(),
  /** What the tracking run says it read. */
  inputs: z
    .array(z.object({ name: z.string(), digest: z.string() }))
    .readonly()
    .optional(),
  /** The resolved training spec. */
  training: jsonValueSchema.optional(),
});
export type Lineage = z.infer<typeof lineageSchema>;

export const decisions = ['approve', 'reject'] as const;

/** What somebody decided about a version, and why. */
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
  /** These move only to versions whose newest decision is an approval; a stage counts by its name in lower case. */
  aliases: z.array(aliasName).max(100).readonly(),
  /** Whoever registered a version cannot approve it. */
  distinctApprover: z.boolean(),
});
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>;

/** A model version: what it is, how good it is, and everything needed to make it again. Times are milliseconds. */
export const modelVersionSchema = z.object({
  model: z.string(),
  /** 1 is the first. */
  version: z.int(),
  description: z.string(),
  stage: z.enum(stages),
  tags: tagsSchema,
  /** What the caller named as its source. */
  source: z.string(),
  /** Where that is: the URI that its files are downloaded from. */
  storageLocation: z.string(),
  /** The tracking run, as the caller named it. */
  runId: z.string().optional(),
  runLink: z.string().optional(),
  modelId: z.string().optional(),
  createdBy: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** Of the model file, when there is one that can be opened. */
  sha256: z.string().optional(),
  sizeBytes: z.int().optional(),
  file: modelFileSchema.optional(),
  metrics: z.record(z.string(), z.number()),
  params: tagsSchema,
  lineage: lineageSchema,
  signature: modelSignatureSchema.optional(),
  serving: servingSchema,
  /** The newest decision about it. */
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
  /** The highest number given out, those of deleted versions included; 0 before the first. */
  latestVersion: z.int(),
  /** The version that each alias points at. */
  aliases: z.record(z.string(), z.int()),
  /** The highest version in each stage that has one. */
  latestByStage: z.partialRecord(z.enum(stages), z.int()),
  approvalPolicy: approvalPolicySchema.optional(),
});
export type Model = z.infer<typeof modelSchema>;
