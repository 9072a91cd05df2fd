import { z } from 'zod';
import { defineRoute } from '../shared/api/http/route.ts';
import { aliasName, modelName, productionAlias } from '../shared/domains/registry/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const querySchema = z
  .object({ alias: aliasName.optional(), version: z.coerce.number().int().min(1).optional() })
  .refine(
    (query) => query.alias === undefined || query.version === undefined,
    'give an alias or a version, not both',
  );

/**
 * Each row is an object of raw columns. The list, its rows and the columns' names and types are checked when it is
 * packed, in one pass that stops at the first few faults: here it is only described.
 */
const rowsSchema = z.unknown().meta({
  type: 'array',
  minItems: 1,
  items: { type: 'object', description: 'The columns of the model, by name.' },
});
const bodySchema = z.strictObject({ rows: rowsSchema });

const answerSchema = z.object({
  model: modelName,
  version: z.int(),
  predictions: z.array(z.object({ probability: z.number(), label: z.boolean() })),
  latencyMs: z.number().describe('From the parsed request to the answer, in milliseconds.'),
});

registerRoutes([
  defineRoute({
    name: 'models-score',
    method: 'POST',
    path: 'api/v1/models/{model}/score',
    summary: 'Scores rows in real time, by the version in production unless an alias or version is given.',
    authLevel: 'anonymous',
    role: 'reader',
    params: z.object({ model: modelName }),
    query: querySchema,
    body: bodySchema,
    maxBodyBytes: 16 * 2 ** 20,
    returns: { status: 200, description: 'One prediction per row, in order.', schema: answerSchema },
    errors: ['NOT_FOUND', 'UNPROCESSABLE'],
    handle: async ({ params, query, body }) => {
      const startedAt = performance.now();
      const target =
        query.version === undefined
          ? { model: params.model, alias: query.alias ?? productionAlias }
          : { model: params.model, version: query.version };
      const { version, predictions } = await app.scoring.score(target, body.rows);
      const latencyMs = Number((performance.now() - startedAt).toFixed(3));
      return { json: { model: version.model, version: version.version, predictions, latencyMs } };
    },
  }),
]);
