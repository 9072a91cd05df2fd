import { z } from 'zod';
import { jsonObjectSchema } from '../shared/core/validate.ts';
import { datasetName } from '../shared/core/names/dataset-name.ts';
import { intoSchema, modes, rejectionSchema } from '../shared/domains/datasets/entities.ts';
import {
  badRowSchema,
  quarantineEntrySchema,
} from '../shared/domains/datasets/quarantine/quarantine-entry.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ dataset: datasetName });
const byQuarantine = z.object({ dataset: datasetName, quarantineId: z.string().regex(/^[0-9a-f]{24}$/) });
const uploadTimeoutMs = 30 * 60_000;

const startedSchema = z.object({
  /** `GET /api/v1/runs/<runId>` shows its progress. */
  runId: z.string(),
  container: z.string(),
  name: z.string(),
});
const started = { status: 202, description: 'The run that ingests the file.', schema: startedSchema };

registerRoutes([
  defineRoute({
    name: 'datasets-upload',
    method: 'PUT',
    path: 'api/v1/datasets/{dataset}/files/{*file}',
    summary:
      'Ingests a file: CSV, TSV, JSON Lines (each also .gz or .zst) or Parquet; the format follows from its name. The body is the file.',
    role: 'contributor',
    params: byName.extend({ file: z.string().min(1).max(900) }),
    query: z.object({ mode: z.enum(modes).optional(), keys: z.string().max(2_000).optional() }),
    returns: started,
    errors: ['INVALID_ARGUMENT', 'PAYLOAD_TOO_LARGE'],
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    timeoutMs: uploadTimeoutMs,
    handle: async ({ params, query, bytes, logger }) => ({
      json: await app.datasets.uploads.upload({ ...params, ...query, bytes }, logger),
    }),
  }),
  defineRoute({
    name: 'datasets-register',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/ingestions',
    summary: "Ingests a blob of the platform's own storage account, streamed from where it is.",
    role: 'contributor',
    params: byName,
    body: z.strictObject({
      /** `https://<account>.blob.core.windows.net/<container>/<name>`, of the platform's own account. */
      url: z.url().max(4_000),
      mode: intoSchema.shape.mode,
      keys: intoSchema.shape.keys,
    }),
    returns: started,
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'PERMISSION_DENIED'],
    handle: async ({ params, body, logger }) => ({
      json: await app.datasets.uploads.register({ ...params, ...body }, logger),
    }),
  }),
  defineRoute({
    name: 'datasets-rejections',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/rejections',
    summary: 'Lists rejected files, newest first, each with the reason.',
    role: 'reader',
    // Files that name no dataset are kept under `_unnamed`.
    params: z.object({ dataset: datasetName.or(z.literal('_unnamed')) }),
    query: pageQuery,
    returns: { status: 200, description: 'A page of rejections.', schema: pageSchema(rejectionSchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.rejections.list(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-quarantine',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/quarantine',
    summary: 'Lists files with quarantined rows, newest first.',
    role: 'reader',
    params: byName,
    query: pageQuery,
    returns: { status: 200, description: 'A page of files.', schema: pageSchema(quarantineEntrySchema) },
    handle: async ({ params, query }) => ({
      json: await app.datasets.quarantine.list(params.dataset, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-quarantine-rows',
    method: 'GET',
    path: 'api/v1/datasets/{dataset}/quarantine/{quarantineId}/rows',
    summary: 'Lists the quarantined rows of a file: position, text, column and reason.',
    role: 'reader',
    params: byQuarantine,
    query: pageQuery,
    returns: { status: 200, description: 'A page of rows.', schema: pageSchema(badRowSchema) },
    errors: ['NOT_FOUND'],
    handle: async ({ params, query }) => ({
      json: await app.datasets.quarantine.listRows(params.dataset, params.quarantineId, toPageRequest(query)),
    }),
  }),
  defineRoute({
    name: 'datasets-resubmit',
    method: 'POST',
    path: 'api/v1/datasets/{dataset}/quarantine/{quarantineId}/resubmissions',
    summary: 'Ingests corrected rows: objects with a member for each column.',
    role: 'contributor',
    params: byQuarantine,
    body: z.strictObject({ rows: z.array(jsonObjectSchema).min(1).max(10_000) }),
    maxBodyBytes: 16 * 2 ** 20,
    returns: started,
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT'],
    handle: async ({ params, body, logger, principal }) => {
      const { dataset, quarantineId } = params;
      const ref = await app.datasets.quarantine.resubmit(dataset, quarantineId, body.rows, principal.name);
      return { json: await app.datasets.uploads.start(ref, logger) };
    },
  }),
]);
