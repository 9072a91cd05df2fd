import { z } from 'zod';
import { artifactScheme } from '../shared/core/names/mlflow-names.ts';
import { defineGet, defineList } from '../shared/api/http/read-routes.ts';
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
  )
  .meta({ examples: [{ source: 'runs:/0123456789abcdef0123456789abcdef/model' }] });

registerRoutes([
  defineList({
    name: 'models-list',
    path: 'api/v1/models',
    summary: 'Lists the registered models by name.',
    items: 'models',
    schema: modelSchema,
    list: (_, page) => app.registry.models.list(page),
  }),
  defineGet({
    name: 'models-get',
    path: 'api/v1/models/{model}',
    summary: 'Gets a model with its aliases, the newest version of each stage and its approval policy.',
    params: byName,
    description: 'The model.',
    schema: modelSchema,
    errors: ['NOT_FOUND'],
    get: ({ params }) => app.registry.models.get(params.model),
  }),
  defineList({
    name: 'models-versions',
    path: 'api/v1/models/{model}/versions',
    summary:
      'Lists the versions of a model, newest first, with metrics, lineage and whether they can be served.',
    params: byName,
    items: 'versions',
    schema: modelVersionViewSchema,
    list: ({ params }, page) => app.registry.versions.list(params.model, page),
  }),
  defineRoute({
    name: 'models-version-register',
    method: 'POST',
    path: 'api/v1/models/{model}/versions',
    summary: 'Registers the next version from an artifact and opens it; creates a missing model.',
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
  defineGet({
    name: 'models-version',
    path: 'api/v1/models/{model}/versions/{version}',
    summary: 'Gets a model version.',
    params: byVersion,
    description: 'The version.',
    schema: modelVersionViewSchema,
    errors: ['NOT_FOUND'],
    get: ({ params }) => app.registry.versions.get(params.model, params.version),
  }),
  defineGet({
    name: 'models-aliases',
    path: 'api/v1/models/{model}/aliases',
    summary: 'Lists the aliases of a model.',
    params: byName,
    description: 'The aliases.',
    schema: z.object({ items: z.array(aliasSchema).readonly() }),
    get: async ({ params }) => ({ items: await app.registry.aliases.list(params.model) }),
  }),
  defineRoute({
    name: 'models-alias-move',
    method: 'PUT',
    path: 'api/v1/models/{model}/aliases/{alias}',
    summary: 'Points an alias at a version: promote, or roll back.',
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
