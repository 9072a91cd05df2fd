import { z } from 'zod';
import { datasetName } from '../shared/core/names/dataset-name.ts';
import { versionName } from '../shared/domains/datasets/entities.ts';
import { maxDiffRows } from '../shared/domains/datasets/diff/diff-rows.ts';
import {
  versionProfileDiffSchema,
  versionRowDiffSchema,
  versionSchemaDiffSchema,
} from '../shared/domains/datasets/diff/version-diffs.ts';
import { profileSchema } from '../shared/domains/datasets/profiles/profile.ts';
import { columnNamesSchema } from '../shared/domains/datasets/schema/column-names.ts';
import { cursorParameter } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const path = 'api/v1/datasets/{dataset}/versions/{version}';
const byVersion = z.object({ dataset: datasetName, version: versionName });
const from = versionName
  .describe(
    'The version to compare with: a number, "latest", a tag or a time. Defaults to the version before.',
  )
  .optional();

/** Files may have to be downloaded, and versions profiled, first. */
const timeoutMs = 180_000;

registerRoutes([
  defineRoute({
    name: 'datasets-profile',
    method: 'GET',
    path: `${path}/profile`,
    summary: 'Gets exact statistics of every column of a version. Computes them if the version has none yet.',
    role: 'reader',
    params: byVersion,
    returns: { status: 200, description: 'The profile.', schema: profileSchema },
    errors: ['NOT_FOUND', 'UNPROCESSABLE', 'RATE_LIMITED'],
    timeoutMs,
    handle: async ({ params: { dataset, version }, signal }) => ({
      json: await app.datasets.profiles.read(
        dataset,
        await app.datasets.versions.find(dataset, version),
        signal,
      ),
    }),
  }),
  defineRoute({
    name: 'datasets-diff-schema',
    method: 'GET',
    path: `${path}/diff/schema`,
    summary: 'Compares the columns of two versions.',
    role: 'reader',
    params: byVersion,
    query: z.object({ from }),
    returns: { status: 200, description: 'The difference.', schema: versionSchemaDiffSchema },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT'],
    handle: async ({ params, query }) => ({
      json: await app.datasets.diffs.schema({ ...query, dataset: params.dataset, to: params.version }),
    }),
  }),
  defineRoute({
    name: 'datasets-diff-profile',
    method: 'GET',
    path: `${path}/diff/profile`,
    summary: 'Compares the profiles of two versions, the largest change first.',
    role: 'reader',
    params: byVersion,
    query: z.object({ from }),
    returns: { status: 200, description: 'The difference.', schema: versionProfileDiffSchema },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'UNPROCESSABLE', 'RATE_LIMITED'],
    timeoutMs,
    handle: async ({ params, query, signal }) => ({
      json: await app.datasets.diffs.profile(
        { ...query, dataset: params.dataset, to: params.version },
        signal,
      ),
    }),
  }),
  defineRoute({
    name: 'datasets-diff-rows',
    method: 'GET',
    path: `${path}/diff/rows`,
    summary: 'Compares the rows of two versions, by key or as multisets.',
    role: 'reader',
    params: byVersion,
    query: z.object({
      from,
      keys: columnNamesSchema
        .describe(
          'The columns that identify a row: names separated by commas, or a JSON array of names ([] compares multisets). Defaults to the keys of the settings.',
        )
        .optional(),
      cursor: cursorParameter(500),
      limit: z.coerce.number().int().min(1).max(maxDiffRows).default(100),
    }),
    returns: {
      status: 200,
      description: 'A page of rows. The first page has the counts.',
      schema: versionRowDiffSchema,
    },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'UNPROCESSABLE', 'RATE_LIMITED'],
    timeoutMs,
    handle: async ({ params, query: { from: before, ...request }, signal }) => ({
      json: await app.datasets.diffs.rows(
        { dataset: params.dataset, from: before, to: params.version },
        request,
        signal,
      ),
    }),
  }),
]);
