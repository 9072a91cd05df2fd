import { jsonNumber, toJsonNumber } from '../../core/json/json-number.ts';
import { z } from 'zod';
import { type ComparedRow, type RunComparison } from './compare.ts';
import { type Experiment, type MetricPoint, type Run, type RunInfo, runStatuses } from './entities.ts';
import type { Series } from './series.ts';

/*
 * Experiments and runs in the native API. Times are milliseconds since the Unix epoch.
 */

const number = jsonNumber.describe('NaN and infinities are written by name.');
const texts = z.record(z.string(), z.string());
const stage = z.enum(['active', 'deleted']);

export const experimentViewSchema = z.object({
  experimentId: z.string(),
  name: z.string(),
  artifactLocation: z.string(),
  lifecycleStage: stage,
  createdAt: z.number(),
  updatedAt: z.number(),
  deletedAt: z.number().optional(),
  tags: texts,
});

const runInfoSchema = z.object({
  runId: z.string(),
  experimentId: z.string(),
  name: z.string(),
  userId: z.string(),
  status: z.enum(runStatuses),
  startTime: z.number(),
  endTime: z.number().optional(),
  lifecycleStage: stage,
  artifactUri: z.string(),
  createdAt: z.number(),
  lastWriteAt: z.number().describe('Accurate to a minute.'),
  deletedAt: z.number().optional(),
});

const pointSchema = z.object({ step: z.number(), timestamp: z.number(), value: number });

export const runSummaryViewSchema = runInfoSchema.extend({
  params: texts,
  tags: texts,
  metrics: z.record(z.string(), pointSchema).describe('The latest point of each metric.'),
});

export const runViewSchema = runSummaryViewSchema.extend({
  inputs: z.object({
    datasets: z.array(
      z.object({
        name: z.string(),
        digest: z.string(),
        sourceType: z.string(),
        source: z.string(),
        schema: z.string().optional(),
        profile: z.string().optional(),
        tags: texts,
      }),
    ),
    models: z.array(z.object({ modelId: z.string() })),
  }),
  outputs: z.object({ models: z.array(z.object({ modelId: z.string(), step: z.number() })) }),
});

function rowSchema<T extends z.ZodType>(value: T) {
  return z.array(
    z.object({
      key: z.string(),
      values: z.array(value.nullable()).describe('In the order of the runs; null where a run has no value.'),
    }),
  );
}

export const comparisonViewSchema = z.object({
  runs: z.array(runInfoSchema),
  params: rowSchema(z.string()),
  metrics: rowSchema(number),
  tags: rowSchema(z.string()),
});

export const seriesViewSchema = z.object({
  points: z.array(pointSchema.extend({ value: z.number() })).describe('Sorted along the axis.'),
  nonFinite: z
    .array(pointSchema.extend({ value: z.enum(['NaN', 'Infinity', '-Infinity']), count: z.number() }))
    .describe('The first NaN or infinity of each kind in each bucket, with their number.'),
  total: z.number(),
  isSampled: z.boolean().describe('False when all points are included.'),
});

export function toExperimentView({ tags, ...experiment }: Experiment): z.infer<typeof experimentViewSchema> {
  return { ...experiment, tags: Object.fromEntries(tags) };
}

export function toRunSummaryView(run: Run): z.infer<typeof runSummaryViewSchema> {
  return {
    ...run.info,
    params: Object.fromEntries(run.params),
    tags: Object.fromEntries(run.tags),
    metrics: Object.fromEntries([...run.metrics].map(([key, point]) => [key, toPointView(point)])),
  };
}

export function toRunView(run: Run): z.infer<typeof runViewSchema> {
  const { datasetInputs, modelInputs, modelOutputs } = run.links;
  return {
    ...toRunSummaryView(run),
    inputs: {
      datasets: datasetInputs.map(({ dataset, tags }) => ({
        ...dataset,
        tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
      })),
      models: modelInputs.map(({ modelId }) => ({ modelId })),
    },
    outputs: { models: modelOutputs.map(({ modelId, step }) => ({ modelId, step })) },
  };
}

export function toComparisonView(comparison: RunComparison): z.infer<typeof comparisonViewSchema> {
  return {
    runs: comparison.runs.map((info: RunInfo) => ({ ...info })),
    params: comparison.params.map((row) => toRowView(row, (value) => value)),
    metrics: comparison.metrics.map((row) => toRowView(row, toJsonNumber)),
    tags: comparison.tags.map((row) => toRowView(row, (value) => value)),
  };
}

export function toSeriesView({
  points,
  nonFinite,
  total,
  isSampled,
}: Series): z.infer<typeof seriesViewSchema> {
  return {
    points: points.map(({ step, timestamp, value }) => ({ step, timestamp, value })),
    nonFinite: nonFinite.map(({ point: { step, timestamp, value }, count }) => ({
      step,
      timestamp,
      value: String(value) as 'NaN' | 'Infinity' | '-Infinity',
      count,
    })),
    total,
    isSampled,
  };
}

function toPointView({ step, timestamp, value }: MetricPoint): z.infer<typeof pointSchema> {
  return { step, timestamp, value: toJsonNumber(value) };
}

function toRowView<Value, View>({ key, values }: ComparedRow<Value>, view: (value: Value) => View) {
  return { key, values: values.map((value) => (value === undefined ? null : view(value))) };
}
