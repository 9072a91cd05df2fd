import { z } from 'zod';
import { pageSchema } from '../shared/api/http/paging.ts';
import { defineList } from '../shared/api/http/read-routes.ts';
import { defineRoute, type Route } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const budgetMs = 60_000;
const timeoutMs = 180_000;

const subjectSchema = z.object({
  kind: z.enum(['run', 'loggedModel', 'experiment', 'orphan']),
  id: z.string(),
  experimentId: z.string().optional(),
  name: z.string().optional(),
  artifactUri: z.string().optional(),
  isFolder: z.boolean().optional(),
});

const itemSchema = z.object({
  subject: subjectSchema,
  deletedAt: z.number(),
  dueAt: z.number(),
  files: z.int(),
  sizeBytes: z.int(),
  isPartial: z.boolean(),
  keptBy: z.array(z.string()).readonly(),
  goes: z.boolean(),
});

const collectedSchema = z.object({
  removed: z.array(subjectSchema),
  kept: z.array(z.object({ subject: subjectSchema, keptBy: z.array(z.string()) })),
  isDone: z.boolean(),
});

const listQuery = z.object({
  cursor: z.string().max(100_000).optional(),
  limit: z.coerce.number().int().min(1).max(50).default(20),
});
const collectBody = z.strictObject({
  dryRun: z.boolean().default(false),
  cursor: z.string().max(100_000).optional(),
});
const idParam = z.string().min(1).max(200);

registerRoutes([
  defineList({
    name: 'trash-list',
    path: 'api/v1/trash',
    summary:
      'Lists the trash: what is deleted, when it is due, its size, and what keeps it. A page can be empty.',
    query: listQuery,
    items: 'the trash',
    schema: itemSchema,
    errors: ['INVALID_ARGUMENT'],
    timeoutMs,
    list: (_, page) => app.retention.list(page),
  }),
  defineRoute({
    name: 'trash-collect',
    method: 'POST',
    path: 'api/v1/trash/collect',
    summary: 'Purges what is due, for up to a minute; as a dry run, lists one page of the trash instead.',
    role: 'admin',
    body: collectBody,
    bodyIsOptional: true,
    timeoutMs,
    returns: {
      status: 200,
      description: 'What was purged, and what stays though it is due.',
      schema: collectedSchema,
    },
    alsoReturns: [
      { status: 200, description: 'In a dry run, one page of the trash.', schema: pageSchema(itemSchema) },
    ],
    errors: ['INVALID_ARGUMENT'],
    handle: async ({ body, principal }) => {
      if (body.dryRun) return { json: await app.retention.list({ cursor: body.cursor, limit: 50 }) };
      const deadline = app.clock.now() + budgetMs;
      return { json: await app.retention.collect({ by: principal.name, deadline }) };
    },
  }),
  purgeRoute('run', { name: 'trash-remove-run', path: 'runs', what: 'run with its artifacts and metrics' }),
  purgeRoute('loggedModel', {
    name: 'trash-remove-logged-model',
    path: 'logged-models',
    what: 'logged model with its artifacts',
  }),
  defineRoute({
    name: 'trash-remove-experiment',
    method: 'DELETE',
    path: 'api/v1/trash/experiments/{experimentId}',
    summary: 'Purges a deleted experiment with everything in it that is not needed, for up to a minute.',
    role: 'admin',
    params: z.object({ experimentId: idParam }),
    timeoutMs,
    returns: { status: 200, description: 'What was purged, and what stays.', schema: collectedSchema },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT'],
    handle: async ({ params, principal }) => {
      const options = { by: principal.name, deadline: app.clock.now() + budgetMs };
      return { json: await app.retention.removeExperiment(params.experimentId, options) };
    },
  }),
]);

function purgeRoute(
  kind: 'run' | 'loggedModel',
  { name, path, what }: { readonly name: string; readonly path: string; readonly what: string },
): Route {
  const parameter = kind === 'run' ? 'runId' : 'modelId';
  return defineRoute({
    name,
    method: 'DELETE',
    path: `api/v1/trash/${path}/{${parameter}}`,
    summary: `Purges a deleted ${what}.`,
    role: 'admin',
    params: z.object({ [parameter]: idParam }),
    timeoutMs,
    returns: { status: 200, description: 'It is purged.', schema: z.object({}) },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'PRECONDITION_FAILED'],
    handle: async ({ params, principal }) => {
      await app.retention.remove(kind, params[parameter]!, principal.name);
      return { json: {} };
    },
  });
}
