import { z } from 'zod';
import {
  datasetName,
  datasetSchema,
  datasetVersionSchema,
  rejectionSchema,
} from '../shared/datasets/entities.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/http/paging.ts';
import { defineRoute } from '../shared/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ dataset: datasetName });
const byVersion = z.object({ dataset: datasetName, version: z.coerce.number().int().min(0) });

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
    handle: async ({ query }) => ({ json: await app.datasets.listDatasets(toPageRequest(query)) }),
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
    handle: async ({ params }) => ({ json: await app.datasets.getDataset(params.dataset) }),
  }),
  defineRoute({
    name: 'datasets-versions',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions',
    summary: 'The versions of a dataset, newest first.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of versions.', schema: pageSchema(datasetVersionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.listVersions(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-version',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/versions/{version}',
    summary: 'One version: its columns, rows, hash and where it came from.',
    authLevel: 'anonymous',
    role: 'reader',
    params: byVersion,
    returns: { status: 200, description: 'The version.', schema: datasetVersionSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.datasets.getVersion(params.dataset, params.version) }),
  }),
  defineRoute({
    name: 'datasets-rejections',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/rejections',
    summary: 'The files that ingestion refused, newest first, each with the reason.',
    authLevel: 'anonymous',
    role: 'reader',
    // Files that name no dataset are kept under `_unnamed`.
    params: z.object({ dataset: datasetName.or(z.literal('_unnamed')) }),
    query: pageQuery,
    returns: { status: 200, description: 'A page of rejections.', schema: pageSchema(rejectionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.listRejections(params.dataset, toPageRequest(query)),
    }),
  }),
]);
