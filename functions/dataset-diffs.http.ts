import { z } from 'zod';
import { datasetName } from '../shared/core/resource-names.ts';
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
  .describe('The version to compare with, in any of the ways a version is named; the one before unless told.')
  .optional();

/** Files may have to come first, and profiles may have to be made. */
const timeoutMs = 180_000;

registerRoutes([
  defineRoute({
    name: 'datasets-profile',
    method: 'GET',
    path: `${path}/profile`,
    summary: 'What the columns of a version hold, exactly; made now where it was not after the commit.',
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
    summary: 'The columns that a version added, removed or changed.',
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
    summary: 'The figures by which the profiles of two versions differ, the biggest change first.',
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
    summary: 'The rows that a version added, removed or changed: by key, or without keys as a multiset.',
    role: 'reader',
    params: byVersion,
    query: z.object({
      from,
      keys: columnNamesSchema
        .describe(
          'The columns that tell rows apart: names with commas between them, or a JSON array ([] for none). Those of the settings unless told.',
        )
        .optional(),
      cursor: cursorParameter(500),
      limit: z.coerce.number().int().min(1).max(maxDiffRows).default(100),
    }),
    returns: {
      status: 200,
      description: 'A page of rows, on the first page with how many there are of each kind.',
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
