import { z } from 'zod';
import { artifactScheme } from '../shared/core/mlflow-names.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import {
  aliasName,
  aliasSchema,
  modelName,
  modelSchema,
  modelVersionViewSchema,
} from '../shared/domains/registry/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ model: modelName });
const byVersion = z.object({ model: modelName, version: z.coerce.number().int().min(1) });
const byAlias = z.object({ model: modelName, alias: aliasName });

const registrationSchema = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .max(2_000)
      .optional()
      .describe(
        `A URI: \`${artifactScheme}:/…\`, \`runs:/<run>/<path>\`, \`models:/<logged model or version>\`.`,
      ),
    runId: z.string().min(1).max(200).optional().describe('The tracking run that made the model.'),
    artifactPath: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe("A path among the run's artifacts, instead of `source`."),
    modelId: z.string().min(1).max(200).optional().describe('The logged model to register.'),
    description: z.string().max(100_000).default(''),
    tags: z.record(z.string().max(250), z.string().max(100_000)).default({}),
  })
  .refine(
    ({ source, runId, artifactPath }) =>
      (source === undefined) === (artifactPath !== undefined && runId !== undefined) &&
      (source === undefined || artifactPath === undefined),
    'give either a source, or a runId with an artifactPath',
  );

registerRoutes([
  defineRoute({
    name: 'models-list',
    method: 'GET',
    path: 'api/v1/models',
    summary: 'Lists the registered models by name.',
    authLevel: 'anonymous',
    role: 'reader',
    query: pageQuery,
    returns: { status: 200, description: 'A page of models.', schema: pageSchema(modelSchema) },
    handle: async ({ query }) => ({ json: await app.registry.models.list(toPageRequest(query)) }),
  }),
  defineRoute({
    name: 'models-get',
    method: 'GET',
    path: 'api/v1/models/{model}',
    summary: 'Gets a model with its aliases, the newest version of each stage and its approval policy.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The model.', schema: modelSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.registry.models.get(params.model) }),
  }),
  defineRoute({
    name: 'models-versions',
    method: 'GET',
    path: 'api/v1/models/{model}/versions',
    summary:
      'Lists the versions of a model, newest first, with metrics, lineage and whether they can be served.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of versions.', schema: pageSchema(modelVersionViewSchema) },
    handle: async ({ params, query }) => ({
      json: await app.registry.versions.list(params.model, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'models-version-register',
    method: 'POST',
    path: 'api/v1/models/{model}/versions',
    summary: 'Registers the next version from an artifact and opens it; creates a missing model.',
    authLevel: 'anonymous',
    role: 'contributor',
    params: byName,
    body: registrationSchema,
    timeoutMs: 60_000,
    returns: { status: 201, description: 'The version.', schema: modelVersionViewSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal }) => {
      const { source, artifactPath, runId, ...rest } = body;
      const request = { ...rest, model: params.model, createModel: true };
      if (source !== undefined)
        return { json: await app.registration.register({ ...request, runId, source }, principal.name) };
      // The schema guarantees both.
      const artifact = { ...request, runId: runId ?? '', artifactPath: artifactPath ?? '' };
      return { json: await app.registration.registerArtifact(artifact, principal.name) };
    },
  }),
  defineRoute({
    name: 'models-version',
    method: 'GET',
    path: 'api/v1/models/{model}/versions/{version}',
    summary: 'Gets a model version.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byVersion,
    returns: { status: 200, description: 'The version.', schema: modelVersionViewSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.registry.versions.get(params.model, params.version) }),
  }),
  defineRoute({
    name: 'models-aliases',
    method: 'GET',
    path: 'api/v1/models/{model}/aliases',
    summary: 'Lists the aliases of a model.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The aliases.', schema: z.object({ items: z.array(aliasSchema) }) },
    handle: async ({ params }) => ({ json: { items: await app.registry.aliases.list(params.model) } }),
  }),
  defineRoute({
    name: 'models-alias-move',
    method: 'PUT',
    path: 'api/v1/models/{model}/aliases/{alias}',
    summary: 'Points an alias at a version: promote, or roll back.',
    authLevel: 'anonymous',
    role: 'operator',
    params: byAlias,
    body: z.strictObject({ version: z.int().min(1) }),
    returns: { status: 200, description: 'The alias.', schema: aliasSchema },
    errors: ['NOT_FOUND', 'PERMISSION_DENIED'],
    handle: async ({ params, body, principal }) => ({
      json: await app.registry.aliases.move(params.model, params.alias, body.version, principal.name),
    }),
  }),
  defineRoute({
    name: 'models-alias-delete',
    method: 'DELETE',
    path: 'api/v1/models/{model}/aliases/{alias}',
    summary: 'Deletes an alias; deleting an unknown one is no error.',
    authLevel: 'anonymous',
    role: 'operator',
    params: byAlias,
    returns: { status: 200, description: 'The alias is deleted.', schema: z.object({}) },
    errors: ['NOT_FOUND'],
    handle: async ({ params, principal }) => {
      await app.registry.aliases.remove(params.model, params.alias, principal.name);
      return { json: {} };
    },
  }),
]);
