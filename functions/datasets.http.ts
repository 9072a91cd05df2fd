import { z } from 'zod';
import { AppError } from '../shared/core/errors.ts';
import {
  datasetName,
  datasetSchema,
  datasetVersionSchema,
  datasetVersionViewSchema,
  versionName,
} from '../shared/domains/datasets/entities.ts';
import { datasetSettingsSchema } from '../shared/domains/datasets/catalog/settings.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ dataset: datasetName });
const byVersion = z.object({ dataset: datasetName, version: versionName });
const markName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, 'must start with a letter, then letters, digits, ".", "_", "-"')
  .refine((name) => name !== 'latest', 'cannot be "latest"');
const tagSchema = z.object({ name: z.string(), version: z.int(), by: z.string(), at: z.number() });
const pinSchema = z.object({
  pinId: z.string(),
  version: z.int(),
  reason: z.string(),
  by: z.string(),
  at: z.number(),
});
const version = { status: 200, description: 'The version.', schema: datasetVersionViewSchema };
const gone = { status: 200, description: 'It is gone.', schema: z.object({}) };

registerRoutes([
  defineRoute({
    name: 'datasets-list',
    method: 'GET',
    path: 'api/v1/datasets',
    summary: 'The datasets, by name.',
    authLevel: 'anonymous',
    role: 'reader',
    query: pageQuery,
    returns: { status: 200, description: 'A page of datasets.', schema: pageSchema(datasetSchema) },
    handle: async ({ query }) => ({ json: await app.datasets.store.listDatasets(toPageRequest(query)) }),
  }),
  defineRoute({
    name: 'datasets-get',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}',
    summary: 'One dataset.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The dataset.', schema: datasetSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.datasets.store.getDataset(params.dataset) }),
  }),
  defineRoute({
    name: 'datasets-settings',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/settings',
    summary: 'How files come into a dataset: mode, keys, constraints, threshold, declared types.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The settings.', schema: datasetSettingsSchema },
    handle: async ({ params }) => ({ json: await app.datasets.store.getSettings(params.dataset) }),
  }),
  defineRoute({
    name: 'datasets-set-settings',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/settings',
    summary: 'Declares a dataset, or changes how later files come in; what is left out is the default.',
    authLevel: 'anonymous',
    role: 'contributor',
    params: byName,
    body: datasetSettingsSchema,
    returns: { status: 200, description: 'The settings.', schema: datasetSettingsSchema },
    errors: ['INVALID_ARGUMENT'],
    handle: async ({ params, body, principal }) => {
      await app.datasets.store.putSettings(params.dataset, body, principal.name);
      return { json: body };
    },
  }),
  defineRoute({
    name: 'datasets-versions',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions',
    summary: 'The versions of a dataset, newest first: what each did, and where it came from.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of versions.', schema: pageSchema(datasetVersionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.store.listVersions(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-version',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions/{version}',
    summary:
      'One version: its columns, rows, hash and where it came from. By number, "latest", a tag or a time (2026-11-23T12:00:00Z).',
    authLevel: 'anonymous',
    role: 'reader',
    params: byVersion,
    returns: version,
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT'],
    handle: async ({ params }) => ({
      json: await app.datasets.versions.view(params.dataset, params.version),
    }),
  }),
  defineRoute({
    name: 'datasets-restore',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/versions/{version}/restore',
    summary: 'Makes an earlier version the newest content, as a version of its own.',
    authLevel: 'anonymous',
    role: 'operator',
    params: byVersion,
    returns: { status: 200, description: 'The new version.', schema: datasetVersionSchema },
    errors: ['NOT_FOUND', 'UNPROCESSABLE'],
    handle: async ({ params, principal }) => ({
      json: await app.datasets.restore(params.dataset, params.version, principal.name),
    }),
  }),
  defineRoute({
    name: 'datasets-tags',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/tags',
    summary: 'The tags of a dataset, by name.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of tags.', schema: pageSchema(tagSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.store.listTags(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-set-tag',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/tags/{tag}',
    summary: 'Puts a tag on a version, or moves it there. A tagged version is never vacuumed.',
    authLevel: 'anonymous',
    role: 'contributor',
    params: z.object({ dataset: datasetName, tag: markName }),
    body: z.strictObject({ version: z.int().min(0) }),
    returns: { status: 200, description: 'The tag.', schema: tagSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal }) => {
      await app.datasets.store.getVersion(params.dataset, body.version);
      const tag = { name: params.tag, version: body.version, by: principal.name, at: app.clock.now() };
      await app.datasets.store.putTag(params.dataset, tag);
      return { json: tag };
    },
  }),
  defineRoute({
    name: 'datasets-delete-tag',
    method: 'DELETE',
    path: 'api/v1/datasets/{dataset}/tags/{tag}',
    summary: 'Removes a tag; the version stays, for as long as something else keeps it.',
    authLevel: 'anonymous',
    role: 'contributor',
    params: z.object({ dataset: datasetName, tag: markName }),
    returns: gone,
    errors: ['NOT_FOUND'],
    handle: async ({ params, principal }) => {
      await app.datasets.store.deleteTag(params.dataset, params.tag, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'datasets-pin',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/versions/{version}/pins/{pin}',
    summary: 'Keeps a version from removal, under a name and with a reason.',
    authLevel: 'anonymous',
    role: 'contributor',
    params: byVersion.extend({ pin: markName }),
    body: z.strictObject({ reason: z.string().min(1).max(1_000) }),
    returns: { status: 200, description: 'The pin.', schema: pinSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal }) => {
      const number = await app.datasets.versions.find(params.dataset, params.version);
      const pin = {
        pinId: `${params.pin}@${number}`,
        version: number,
        reason: body.reason,
        by: principal.name,
        at: app.clock.now(),
      };
      await app.datasets.store.putPin(params.dataset, pin);
      return { json: pin };
    },
  }),
  defineRoute({
    name: 'datasets-unpin',
    method: 'DELETE',
    path: 'api/v1/datasets/{dataset}/versions/{version}/pins/{pin}',
    summary: 'Takes a pin away.',
    authLevel: 'anonymous',
    role: 'operator',
    params: byVersion.extend({ pin: markName }),
    returns: gone,
    errors: ['NOT_FOUND'],
    handle: async ({ params, principal }) => {
      const number = await app.datasets.versions.find(params.dataset, params.version);
      await app.datasets.store.deletePin(params.dataset, `${params.pin}@${number}`, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'datasets-vacuum',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/vacuum',
    summary: 'Removes data files that only versions past their retention need; a dry run says which.',
    authLevel: 'anonymous',
    role: 'admin',
    params: byName,
    body: z.strictObject({ dryRun: z.boolean().default(true) }),
    bodyIsOptional: true,
    timeoutMs: 180_000,
    returns: {
      status: 200,
      description: 'What went, or would go, and what keeps the rest.',
      schema: z.object({
        dataset: z.string(),
        removed: z.array(z.string()),
        files: z.int(),
        sizeBytes: z.int(),
        kept: z.array(z.object({ version: z.int(), because: z.string() })),
        lost: z.array(z.int()),
        isDone: z.boolean(),
      }),
    },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body }) => {
      const { latestVersion } = await app.datasets.store.getDataset(params.dataset);
      if (latestVersion === undefined)
        throw new AppError('NOT_FOUND', `The dataset "${params.dataset}" has no version yet.`);
      const deadline = app.clock.now() + 120_000;
      return { json: await app.datasets.vacuum(params.dataset, { dryRun: body.dryRun, deadline }) };
    },
  }),
]);
