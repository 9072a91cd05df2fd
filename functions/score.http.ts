import { z } from 'zod';
import { defineRoute } from '../shared/api/http/route.ts';
import { aliasName, modelName, productionAlias } from '../shared/domains/registry/entities.ts';
import { writeTensors } from '../shared/domains/serving/json/write-tensors.ts';
import { predictionSchema } from '../shared/domains/serving/tasks/catalog.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const querySchema = z
  .object({ alias: aliasName.optional(), version: z.coerce.number().int().min(1).optional() })
  .refine(
    (query) => query.alias === undefined || query.version === undefined,
    'give an alias or a version, not both',
  );

// Rows and tensors are checked when they are packed, in one pass that stops at the first few faults: the schema only
// describes them.
const rowsSchema = z.unknown().meta({
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    additionalProperties: {},
    description: 'The columns of the model, by name. Null is a missing value.',
  },
  description: 'For models of single columns: one object a row.',
});
const inputsSchema = z.unknown().meta({
  type: 'object',
  additionalProperties: {
    type: 'object',
    properties: {
      type: { type: 'string', description: 'The element type; that of the model unless given.' },
      shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
      data: { description: 'Nested lists, or a flat list beside a shape.' },
    },
    required: ['data'],
    additionalProperties: false,
  },
  description: 'For every model: its inputs as tensors, by name.',
});

const bodySchema = z
  .strictObject({
    rows: rowsSchema.optional(),
    inputs: inputsSchema.optional(),
    outputs: z
      .array(z.string())
      .min(1)
      .max(1_000)
      .optional()
      .describe('Answers with these outputs of the model, instead of predictions or all of its outputs.'),
  })
  .refine(
    ({ rows, inputs }) => (rows === undefined) !== (inputs === undefined),
    'give rows (objects of columns) or inputs (tensors by name), one of the two',
  )
  .meta({ examples: [{ rows: [{ date: '2001-07-13T18:30:00Z', distance: 1846, origin: 'ORD' }] }] });

const tensorSchema = z.object({
  type: z.string(),
  shape: z.array(z.int()),
  data: z.unknown().describe('Nested lists. NaN, infinities and integers beyond ±(2^53 - 1) are texts.'),
});

const answeredSchema = z.object({
  model: modelName,
  version: z.int(),
  latencyMs: z.number().describe('From the parsed request to the answer, in milliseconds.'),
});
const answerSchema = z.union([
  answeredSchema.extend({
    predictions: z
      .array(predictionSchema)
      .describe('One a row, in order; what it holds follows from the task.'),
  }),
  answeredSchema.extend({ outputs: z.record(z.string(), tensorSchema) }),
]);

registerRoutes([
  defineRoute({
    name: 'models-score',
    method: 'POST',
    path: 'api/v1/models/{model}/score',
    summary:
      'Scores rows or tensors in real time, by the version in production unless an alias or version is given.',
    role: 'reader',
    params: z.object({ model: modelName }),
    query: querySchema,
    body: bodySchema,
    maxBodyBytes: 16 * 2 ** 20,
    returns: {
      status: 200,
      description:
        'One prediction per row; or outputs by name, for tensors, on request, and for models without a task.',
      schema: answerSchema,
    },
    errors: ['NOT_FOUND', 'UNPROCESSABLE', 'RATE_LIMITED'],
    handle: async ({ params, query, body }) => {
      const startedAt = performance.now();
      const target =
        query.version === undefined
          ? { model: params.model, alias: query.alias ?? productionAlias }
          : { model: params.model, version: query.version };
      const answer = await app.scoring.score(target, body);
      const { model, version } = answer.version;
      const result =
        'predictions' in answer
          ? { predictions: answer.predictions }
          : { outputs: writeTensors(answer.outputs) };
      const latencyMs = Number((performance.now() - startedAt).toFixed(3));
      return { json: { model, version, ...result, latencyMs } };
    },
  }),
]);
