import { z } from 'zod';
import { datasetName } from '../shared/core/names/dataset-name.ts';
import { versionName } from '../shared/domains/datasets/entities.ts';
import { downloadFormats, maxRows } from '../shared/domains/datasets/reading/dataset-reading.ts';
import { rowsJson } from '../shared/domains/datasets/reading/rows-json.ts';
import { columnsSchema } from '../shared/domains/datasets/schema/column.ts';
import { columnNamesSchema } from '../shared/domains/datasets/schema/column-names.ts';
import { cursorParameter } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const path = 'api/v1/datasets/{dataset}/versions/{version}';
const byVersion = z.object({ dataset: datasetName, version: versionName });

const selectedColumns = columnNamesSchema
  .refine((names) => names.length > 0, 'must name a column')
  .optional();

const value = z
  .unknown()
  .describe(
    'int64 beyond ±(2⁵³−1), decimals, NaN and infinities are strings; times are ISO 8601 in UTC; binary is Base64.',
  );
const rowsOf = {
  dataset: z.string(),
  version: z.int(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(value)),
};

/** Files may have to be downloaded first. Each step has a limit of its own. */
const timeoutMs = 180_000;
const json = { 'content-type': 'application/json' };

registerRoutes([
  defineRoute({
    name: 'datasets-schema',
    method: 'GET',
    path: `${path}/schema`,
    summary: 'Gets the columns of a version.',
    role: 'reader',
    params: byVersion,
    returns: {
      status: 200,
      description: 'The columns.',
      schema: z.object({
        dataset: z.string(),
        version: z.int(),
        sha256: z.string(),
        rows: z.int(),
        columns: columnsSchema,
      }),
    },
    errors: ['NOT_FOUND'],
    handle: async ({ params }) => ({ json: await app.reading.schema(params.dataset, params.version) }),
  }),
  defineRoute({
    name: 'datasets-rows',
    method: 'GET',
    path: `${path}/rows`,
    summary: 'Lists rows in order, optionally filtered by a SQL condition.',
    role: 'reader',
    params: byVersion,
    query: z.object({
      columns: selectedColumns,
      where: z
        .string()
        .min(1)
        .max(10_000)
        .describe("A SQL condition: price > 10 AND country = 'DE'.")
        .optional(),
      cursor: cursorParameter(500),
      limit: z.coerce.number().int().min(1).max(maxRows).default(100),
    }),
    returns: {
      status: 200,
      description: 'A page of rows. A short or empty page may have a cursor.',
      schema: z.object({ ...rowsOf, cursor: z.string().optional() }),
    },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'UNPROCESSABLE'],
    timeoutMs,
    handle: async ({ params, query, signal }) => ({
      text: rowsJson(await app.reading.rows(params.dataset, params.version, query, signal)),
      headers: json,
    }),
  }),
  defineRoute({
    name: 'datasets-sample',
    method: 'GET',
    path: `${path}/sample`,
    summary: 'Gets a random sample of rows, in order. The same seed gives the same rows.',
    role: 'reader',
    params: byVersion,
    query: z.object({
      columns: selectedColumns,
      count: z.coerce.number().int().min(1).max(maxRows).default(100),
      seed: z.string().max(100).default('0'),
    }),
    returns: { status: 200, description: 'The rows.', schema: z.object(rowsOf) },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'UNPROCESSABLE'],
    timeoutMs,
    handle: async ({ params, query, signal }) => ({
      text: rowsJson(await app.reading.sample(params.dataset, params.version, query, signal)),
      headers: json,
    }),
  }),
  defineRoute({
    name: 'datasets-query',
    method: 'POST',
    path: `${path}/query`,
    summary: 'Runs one SELECT (DuckDB) over a version. The table is called "data", or like its dataset.',
    role: 'reader',
    params: byVersion,
    body: z.strictObject({
      sql: z.string().min(1),
      limit: z.int().min(1).max(maxRows).default(1_000),
    }),
    returns: {
      status: 200,
      description: 'The rows, and whether the result was truncated.',
      schema: z.object({ ...rowsOf, truncated: z.boolean(), remedy: z.string().optional() }),
    },
    errors: ['NOT_FOUND', 'INVALID_ARGUMENT', 'UNPROCESSABLE', 'RATE_LIMITED'],
    timeoutMs,
    handle: async ({ params, body, signal }) => ({
      text: rowsJson(await app.reading.query(params.dataset, params.version, body, signal)),
      headers: json,
    }),
  }),
  defineRoute({
    name: 'datasets-download',
    method: 'GET',
    path: `${path}/download`,
    summary: 'Downloads a version as one file.',
    role: 'reader',
    params: byVersion,
    query: z.object({ format: z.enum(downloadFormats).default('parquet') }),
    returns: { status: 200, description: 'The file.', contentType: 'application/octet-stream' },
    alsoReturns: [{ status: 304, description: 'Not modified.' }],
    errors: ['NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'RATE_LIMITED'],
    timeoutMs,
    handle: async ({ params, query, headers, signal }) => {
      const version = await app.reading.resolve(params.dataset, params.version);
      const etag = `"${version.sha256}-${query.format}"`;
      const common = { etag, 'cache-control': 'private, no-cache' };
      if (isNamed(headers.get('if-none-match'), etag)) return { status: 304, headers: common, text: '' };
      const { fileName, contentType, sizeBytes, body } = await app.reading.download(
        version,
        query.format,
        signal,
      );
      return {
        headers: {
          ...common,
          'content-type': contentType,
          'content-disposition': `attachment; filename="${fileName}"`,
          ...(sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) }),
        },
        stream: body,
      };
    },
  }),
]);

function isNamed(condition: string | null, etag: string): boolean {
  const named = (condition ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return named.includes(etag) || named.includes('*');
}
