import { z } from 'zod';
import { pageQuery, pageSchema, toPageRequest } from '../shared/http/paging.ts';
import { defineRoute } from '../shared/http/route.ts';
import {
  aliasName,
  aliasSchema,
  modelName,
  modelSchema,
  modelVersionSchema,
} from '../shared/registry/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ model: modelName });
const byVersion = z.object({ model: modelName, version: z.coerce.number().int().min(1) });
const byAlias = z.object({ model: modelName, alias: aliasName });

registerRoutes([
  defineRoute({
    name: 'models-list',
    method: 'GET',
    path: 'api/v1/models',
    summary: 'The registered models, by name.',
    authLevel: 'anonymous',
    role: 'reader',
    query: pageQuery,
    returns: { status: 200, description: 'A page of models.', schema: pageSchema(modelSchema) },
    handle: async ({ query }) => ({ json: await app.registry.listModels(toPageRequest(query)) }),
  }),
  defineRoute({
    name: 'models-versions',
    method: 'GET',
    path: 'api/v1/models/{model}/versions',
    summary: 'The versions of a model, newest first, each with its metrics and lineage.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of versions.', schema: pageSchema(modelVersionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.registry.listVersions(params.model, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'models-version',
    method: 'GET',
    path: 'api/v1/models/{model}/versions/{version}',
    summary: 'One model version.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byVersion,
    returns: { status: 200, description: 'The version.', schema: modelVersionSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.registry.getVersion(params.model, params.version) }),
  }),
  defineRoute({
    name: 'models-aliases',
    method: 'GET',
    path: 'api/v1/models/{model}/aliases',
    summary: 'Where the aliases of a model point.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The aliases.', schema: z.object({ items: z.array(aliasSchema) }) },
    handle: async ({ params }) => ({ json: { items: await app.registry.listAliases(params.model) } }),
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
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal }) => ({
      json: await app.registry.moveAlias(params.model, params.alias, body.version, principal.name),
    }),
  }),
]);
