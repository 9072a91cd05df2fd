import { z } from 'zod';
import { defineRoute } from '../shared/api/http/route.ts';
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

const trashSchema = z.object({
  items: z.array(
    z.object({
      subject: subjectSchema,
      deletedAt: z.number(),
      dueAt: z.number(),
      files: z.int(),
      sizeBytes: z.int(),
      isPartial: z.boolean(),
      keptBy: z.array(z.string()),
      goes: z.boolean(),
    }),
  ),
  cursor: z.string().optional(),
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
const collectBody = z.object({
  dryRun: z.boolean().default(false),
  cursor: z.string().max(100_000).optional(),
});
const idParam = z.string().min(1).max(200);
const purged = { status: 200, description: 'It is purged.', schema: z.object({}) };

registerRoutes([
  defineRoute({
    name: 'trash-list',
    method: 'GET',
    path: 'api/v1/trash',
    summary:
      'Lists the trash: what is deleted, when it is due, its size, and what keeps it. A page can be empty.',
    authLevel: 'anonymous',
    role: 'reader',
    query: listQuery,
    timeoutMs,
    returns: { status: 200, description: 'One page of the trash.', schema: trashSchema },
    errors: ['INVALID_ARGUMENT'],
    handle: async ({ query }) => ({ json: await app.retention.list(query) }),
  }),
  defineRoute({
    name: 'trash-collect',
    method: 'POST',
    path: 'api/v1/trash/collect',
    summary: 'Purges what is due, for up to a minute; as a dry run, lists one page of the trash instead.',
    authLevel: 'anonymous',
    role: 'admin',
    body: collectBody,
    bodyIsOptional: true,
    timeoutMs,
    returns: {
      status: 200,
      description: 'What was purged, and what stays though it is due.',
      schema: collectedSchema,
    },
    alsoReturns: [{ status: 200, description: 'In a dry run, one page of the trash.', schema: trashSchema }],
    errors: ['INVALID_ARGUMENT'],
    handle: async ({ body, principal }) => {
      if (body.dryRun) return { json: await app.retention.list({ cursor: body.cursor, limit: 50 }) };
      const deadline = app.clock.now() + budgetMs;
      return { json: await app.retention.collect({ by: principal.name, deadline }) };
    },
  }),
  defineRoute({
    name: 'trash-remove-run',
    method: 'DELETE',
    path: 'api/v1/trash/runs/{runId}',
    summary: 'Purges a deleted run with its artifacts and metrics.',
    authLevel: 'anonymous',
    role: 'admin',
    params: z.object({ runId: idParam }),
    timeoutMs,
    returns: purged,
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'PRECONDITION_FAILED'],
    handle: async ({ params, principal }) => {
      await app.retention.remove('run', params.runId, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'trash-remove-logged-model',
    method: 'DELETE',
    path: 'api/v1/trash/logged-models/{modelId}',
    summary: 'Purges a deleted logged model with its artifacts.',
    authLevel: 'anonymous',
    role: 'admin',
    params: z.object({ modelId: idParam }),
    timeoutMs,
    returns: purged,
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'PRECONDITION_FAILED'],
    handle: async ({ params, principal }) => {
      await app.retention.remove('loggedModel', params.modelId, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'trash-remove-experiment',
    method: 'DELETE',
    path: 'api/v1/trash/experiments/{experimentId}',
    summary: 'Purges a deleted experiment with everything in it that is not needed, for up to a minute.',
    authLevel: 'anonymous',
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
