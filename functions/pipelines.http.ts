import { z } from 'zod';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute, describedAs } from '../shared/api/http/route.ts';
import {
  examplePipeline,
  pipelineBodySchema,
  pipelineName,
  pipelineSchema,
  pipelineViewSchema,
  runStatuses,
  runViewSchema,
} from '../shared/domains/pipelines/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ pipeline: pipelineName });
const byRun = z.object({ runId: z.string().min(1).max(200) });

const runSummarySchema = z.object({
  runId: z.string(),
  pipeline: z.string(),
  status: z.enum(runStatuses),
  createdAt: z.number(),
  endedAt: z.number().optional(),
});

const startBodySchema = z.strictObject({
  /** The newest version when left out. */
  version: z.int().min(0).optional(),
  /** Two requests with one key start one run. */
  idempotencyKey: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
});

registerRoutes([
  defineRoute({
    name: 'pipelines-list',
    method: 'GET',
    path: 'api/v1/pipelines',
    summary: 'The declared pipelines, by name.',
    role: 'reader',
    query: pageQuery,
    returns: { status: 200, description: 'A page of pipelines.', schema: pageSchema(pipelineViewSchema) },
    handle: async ({ query }) => ({ json: await app.pipelines.declarations.list(toPageRequest(query)) }),
  }),
  defineRoute({
    name: 'pipelines-put',
    method: 'PUT',
    path: 'api/v1/pipelines/{pipeline}',
    summary:
      'Declares a pipeline: a built-in definition or steps of your own, on which dataset, with which parameters. Checks all of it before anything is stored.',
    role: 'operator',
    params: byName,
    body: describedAs(pipelineBodySchema.meta({ examples: [examplePipeline] })),
    returns: { status: 200, description: 'The pipeline as stored.', schema: pipelineSchema },
    handle: async ({ params, body, principal }) => ({
      json: await app.pipelines.declarations.put(params.pipeline, body, principal.name),
    }),
  }),
  defineRoute({
    name: 'pipelines-get',
    method: 'GET',
    path: 'api/v1/pipelines/{pipeline}',
    summary: 'One pipeline.',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The pipeline.', schema: pipelineViewSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.pipelines.declarations.get(params.pipeline) }),
  }),
  defineRoute({
    name: 'pipelines-start',
    method: 'POST',
    path: 'api/v1/pipelines/{pipeline}/runs',
    summary: 'Starts a run by hand.',
    role: 'operator',
    params: byName,
    body: startBodySchema,
    returns: { status: 202, description: 'The run, pending.', schema: runSummarySchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal, logger }) => {
      const run = await app.pipelines.triggers.byHand(params.pipeline, body, principal.name, logger);
      return { json: summarize(run), headers: { location: `/api/v1/runs/${encodeURIComponent(run.runId)}` } };
    },
  }),
  defineRoute({
    name: 'runs-list',
    method: 'GET',
    path: 'api/v1/runs',
    summary: 'The runs, newest first; of one pipeline or status if you say so.',
    role: 'reader',
    query: pageQuery.extend({ pipeline: pipelineName.optional(), status: z.enum(runStatuses).optional() }),
    returns: { status: 200, description: 'A page of runs.', schema: pageSchema(runSummarySchema) },
    handle: async ({ query }) => {
      const { items, ...rest } = await app.pipelines.runs.list(toPageRequest(query), {
        pipeline: query.pipeline,
        status: query.status,
      });
      return { json: { items: items.map(summarize), ...rest } };
    },
  }),
  defineRoute({
    name: 'runs-get',
    method: 'GET',
    path: 'api/v1/runs/{runId}',
    summary: 'One run: its steps, how far each is, what came out.',
    role: 'reader',
    params: byRun,
    returns: { status: 200, description: 'The run.', schema: runViewSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.pipelines.runs.get(params.runId) }),
  }),
  defineRoute({
    name: 'runs-cancel',
    method: 'POST',
    path: 'api/v1/runs/{runId}/cancel',
    summary: 'Cancels a run; its running steps stop within a second.',
    role: 'operator',
    params: byRun,
    returns: { status: 202, description: 'The run, cancelled.', schema: runViewSchema },
    errors: ['NOT_FOUND', 'PRECONDITION_FAILED'],
    handle: async ({ params, principal }) => {
      await app.pipelines.runs.cancel(params.runId, principal.name);
      return { json: await app.pipelines.runs.get(params.runId) };
    },
  }),
]);

function summarize(run: z.infer<typeof runSummarySchema>): z.infer<typeof runSummarySchema> {
  const { runId, pipeline, status, createdAt, endedAt } = run;
  return { runId, pipeline, status, createdAt, ...(endedAt === undefined ? {} : { endedAt }) };
}
