import { z } from 'zod';
import { datasetName } from '../shared/core/names/dataset-name.ts';
import {
  datasetSchema,
  datasetVersionSchema,
  datasetVersionViewSchema,
  versionName,
} from '../shared/domains/datasets/entities.ts';
import { datasetSettingsSchema } from '../shared/domains/datasets/catalog/settings.ts';
import { versionPinSchema } from '../shared/domains/datasets/versions/pins.ts';
import { tagName, versionTagSchema } from '../shared/domains/datasets/versions/tags.ts';
import { vacuumedSchema } from '../shared/domains/datasets/versions/vacuum.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ dataset: datasetName });
const byVersion = z.object({ dataset: datasetName, version: versionName });
const byPin = byVersion.extend({ pin: tagName });
const byTag = z.object({ dataset: datasetName, tag: tagName });
const deleted = { status: 200, description: 'Deleted.', schema: z.object({}) };
const vacuumBudgetMs = 120_000;

registerRoutes([
  defineRoute({
    name: 'datasets-list',
    method: 'GET',
    path: 'api/v1/datasets',
    summary: 'Lists datasets by name.',
    role: 'reader',
    query: pageQuery,
    returns: { status: 200, description: 'A page of datasets.', schema: pageSchema(datasetSchema) },
    handle: async ({ query }) => ({ json: await app.datasets.catalog.list(toPageRequest(query)) }),
  }),
  defineRoute({
    name: 'datasets-get',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}',
    summary: 'Gets a dataset.',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The dataset.', schema: datasetSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.datasets.catalog.get(params.dataset) }),
  }),
  defineRoute({
    name: 'datasets-settings',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/settings',
    summary:
      'Gets how files are ingested into a dataset: mode, keys, constraints, limit for bad rows, types.',
    role: 'reader',
    params: byName,
    returns: { status: 200, description: 'The settings.', schema: datasetSettingsSchema },
    handle: async ({ params }) => ({ json: await app.datasets.settings.get(params.dataset) }),
  }),
  defineRoute({
    name: 'datasets-set-settings',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/settings',
    summary:
      'Sets how later files are ingested into a dataset, and creates it if needed. Omitted members get their defaults.',
    role: 'contributor',
    params: byName,
    body: datasetSettingsSchema,
    returns: { status: 200, description: 'The settings.', schema: datasetSettingsSchema },
    errors: ['INVALID_ARGUMENT'],
    handle: async ({ params, body, principal }) => {
      await app.datasets.settings.put(params.dataset, body, principal.name);
      return { json: body };
    },
  }),
  defineRoute({
    name: 'datasets-versions',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions',
    summary: 'Lists the versions of a dataset, newest first, each with its operation and lineage.',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of versions.', schema: pageSchema(datasetVersionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.versions.list(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-version',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions/{version}',
    summary:
      'Gets a version with its columns, row count, hash and lineage. {version} is a number, "latest", a tag or a time (2026-11-23T12:00:00Z).',
    role: 'reader',
    params: byVersion,
    returns: { status: 200, description: 'The version.', schema: datasetVersionViewSchema },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT'],
    handle: async ({ params }) => ({ json: await app.datasets.view(params.dataset, params.version) }),
  }),
  defineRoute({
    name: 'datasets-restore',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/versions/{version}/restore',
    summary: 'Makes the content of an earlier version the newest, as a new version.',
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
    summary: 'Lists the tags of a dataset by name.',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of tags.', schema: pageSchema(versionTagSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.tags.list(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-set-tag',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/tags/{tag}',
    summary: 'Tags a version, or moves a tag to it. A tagged version is never vacuumed.',
    role: 'contributor',
    params: byTag,
    body: z.strictObject({ version: z.int().min(0) }),
    returns: { status: 200, description: 'The tag.', schema: versionTagSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params: { dataset, tag }, body, principal }) => ({
      json: await app.datasets.tags.set(dataset, tag, body.version, principal.name),
    }),
  }),
  defineRoute({
    name: 'datasets-delete-tag',
    method: 'DELETE',
    path: 'api/v1/datasets/{dataset}/tags/{tag}',
    summary: 'Deletes a tag. The version stays as long as something else keeps it.',
    role: 'contributor',
    params: byTag,
    returns: deleted,
    errors: ['NOT_FOUND'],
    handle: async ({ params: { dataset, tag }, principal }) => {
      await app.datasets.tags.delete(dataset, tag, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'datasets-pin',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/versions/{version}/pins/{pin}',
    summary: 'Pins a version under a name, with a reason. A pinned version is never vacuumed.',
    role: 'contributor',
    params: byPin,
    body: z.strictObject({ reason: z.string().min(1).max(1_000) }),
    returns: { status: 200, description: 'The pin.', schema: versionPinSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params: { dataset, version, pin: name }, body, principal }) => ({
      json: await app.datasets.pins.put(dataset, { name, version }, body.reason, principal.name),
    }),
  }),
  defineRoute({
    name: 'datasets-unpin',
    method: 'DELETE',
    path: 'api/v1/datasets/{dataset}/versions/{version}/pins/{pin}',
    summary: 'Unpins a version.',
    role: 'operator',
    params: byPin,
    returns: deleted,
    errors: ['NOT_FOUND'],
    handle: async ({ params: { dataset, version, pin: name }, principal }) => {
      await app.datasets.pins.delete(dataset, { name, version }, principal.name);
      return { json: {} };
    },
  }),
  defineRoute({
    name: 'datasets-vacuum',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/vacuum',
    summary: 'Removes data files that only versions past their retention need. A dry run only lists them.',
    role: 'admin',
    params: byName,
    body: z.strictObject({ dryRun: z.boolean().default(true) }),
    bodyIsOptional: true,
    timeoutMs: 180_000,
    returns: {
      status: 200,
      description: 'What was removed, or would be, and what keeps the rest.',
      schema: vacuumedSchema,
    },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body: { dryRun } }) => ({
      json: await app.datasets.vacuum.run(params.dataset, { dryRun, budgetMs: vacuumBudgetMs }),
    }),
  }),
]);
