import { z } from 'zod';
import { pageQuery } from '../shared/api/http/paging.ts';
import { defineGet, defineList } from '../shared/api/http/read-routes.ts';
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
  version: z
    .int()
    .min(0)
    .optional()
    .describe("The declared version, or else the dataset's newest, when left out."),
  idempotencyKey: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional()
    .describe('Two requests with one key start one run.'),
});

registerRoutes([
  defineList({
    name: 'pipelines-list',
    path: 'api/v1/pipelines',
    summary: 'Lists the declared pipelines by name.',
    items: 'pipelines',
    schema: pipelineViewSchema,
    list: (_, page) => app.pipelines.declarations.list(page),
  }),
  defineRoute({
    name: 'pipelines-put',
    method: 'PUT',
    path: 'api/v1/pipelines/{pipeline}',
    summary:
      'Declares a pipeline: a built-in definition or its own steps, the dataset that triggers it, and parameters. Checks all of it before it is stored.',
    role: 'operator',
    params: byName,
    body: describedAs(pipelineBodySchema.meta({ examples: [examplePipeline] })),
    returns: { status: 200, description: 'The pipeline as stored.', schema: pipelineSchema },
    handle: async ({ params, body, principal }) => ({
      json: await app.pipelines.declarations.put(params.pipeline, body, principal.name),
    }),
  }),
  defineGet({
    name: 'pipelines-get',
    path: 'api/v1/pipelines/{pipeline}',
    summary: 'Gets a pipeline, with its faults if this version no longer accepts it.',
    params: byName,
    description: 'The pipeline.',
    schema: pipelineViewSchema,
    errors: ['NOT_FOUND'],
    get: ({ params }) => app.pipelines.declarations.get(params.pipeline),
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
  defineList({
    name: 'runs-list',
    path: 'api/v1/runs',
    summary: 'Lists runs, newest first, optionally of one pipeline or status.',
    query: pageQuery.extend({ pipeline: pipelineName.optional(), status: z.enum(runStatuses).optional() }),
    items: 'runs',
    schema: runSummarySchema,
    list: async ({ query: { pipeline, status } }, page) => {
      const { items, ...rest } = await app.pipelines.runs.list(page, { pipeline, status });
      return { items: items.map(summarize), ...rest };
    },
  }),
  defineGet({
    name: 'runs-get',
    path: 'api/v1/runs/{runId}',
    summary: 'Gets a run: its steps with their progress, its outputs, its error.',
    params: byRun,
    description: 'The run.',
    schema: runViewSchema,
    errors: ['NOT_FOUND'],
    get: ({ params }) => app.pipelines.runs.get(params.runId),
  }),
  defineRoute({
    name: 'runs-cancel',
    method: 'POST',
    path: 'api/v1/runs/{runId}/cancel',
    summary:
      'Cancels a run: its running steps stop. Can be repeated; a run that ended otherwise answers 412.',
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
