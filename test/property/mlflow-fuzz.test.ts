import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../shared/app.ts';
import { loadConfig } from '../../shared/core/config.ts';
import { connect } from '../../shared/connect.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { createByteBudget } from '../../shared/api/http/byte-budget.ts';
import { handleRequest } from '../../shared/api/http/handle.ts';
import type { RouteGroup } from '../../shared/api/http/route.ts';
import { createRouteTable, type RouteTable } from '../../shared/api/http/route-table.ts';
import { mlflowRouteGroups } from '../../shared/api/mlflow/catalog.ts';
import { type TestAzurite, startTestAzurite } from '../support/azurite/azurite.ts';

/** Random requests to every endpoint of MLflow's API, over the real services on embedded stores. */
let azurite: TestAzurite;
let groups: readonly { readonly group: RouteGroup; readonly table: RouteTable }[] = [];
/** Ids and names of existing objects, so that requests get past the first checks. */
const known: Record<string, string> = {};

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
}

beforeAll(async () => {
  azurite = await startTestAzurite();
  const config = loadConfig(
    {
      SLIPWAY_METADATA_FILE: join(azurite.dataDir, 'metadata.db'),
      SLIPWAY_QUEUE_FILE: join(azurite.dataDir, 'queue.db'),
      AzureWebJobsStorage: azurite.connectionString,
      SLIPWAY_AUTH: 'off',
      SLIPWAY_WEBHOOK_KEYS: randomBytes(32).toString('base64'),
    },
    { version: '1.0.0', commit: 'test' },
  );
  const app = createApp(config, await connect(config));
  await app.prepare();
  groups = mlflowRouteGroups(app).map((group) => ({ group, table: createRouteTable(group) }));
  const make = async (path: string, body: object) => {
    const answer = await ask({ method: 'POST', path: `api/2.0/mlflow/${path}`, body: JSON.stringify(body) });
    expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    return JSON.parse(answer.text) as Record<string, Record<string, Record<string, string>>>;
  };
  known['name'] = 'model';
  await make('registered-models/create', { name: 'model' });
  await make('model-versions/create', { name: 'model', source: 'runs:/x/model' });
  known['run_id'] = String((await make('runs/create', { experiment_id: '0' }))['run']?.['info']?.['run_id']);
  known['experiment_id'] = '0';
  known['version'] = '1';
});
afterAll(() => azurite.stop());

async function ask({ method, path, query = '', body = '' }: Asked) {
  const url = new URL(`http://localhost/${path}`);
  url.search = query;
  const found = groups.find(({ group }) => url.pathname.startsWith(`/${group.prefix}/`));
  // Its dots lead out of the route group: the host answers.
  if (!found) return { status: 404, text: '{"error_code":"NONE","message":""}' };
  const { route, params } = found.table.find(method, url.pathname);
  const response = await handleRequest(
    route,
    {
      url,
      headers: new Headers({ 'content-type': 'application/json' }),
      params,
      body: (async function* () {
        yield Buffer.from(body);
      })(),
    },
    {
      auth: 'off',
      correlationId: 'c',
      logger: silentLogger,
      now: () => Date.now(),
      bodies: createByteBudget(2 ** 26),
    },
  );
  const text = typeof response.body === 'string' ? response.body : await new Response(response.body).text();
  return { status: response.status, text };
}

const words = [
  '',
  '0',
  'a',
  'None',
  'Production',
  'READY',
  'FINISHED',
  'active',
  '../x',
  '..%2f..',
  'a\0b',
  '\ud800',
  'é/ü',
  '__proto__',
  'constructor',
  'x'.repeat(600),
  'runs:/',
  'models:/a/1',
  'mlflow-artifacts:/0',
  'https://127.0.0.1:1/',
  "metrics.a > 1 AND params.b = 'c'",
  'tags.`x` LIKE',
  "name = '",
  'metrics.a DESC',
  '(',
  'AA==',
  '{"v":1}',
];
const fieldNames = [
  'run_id',
  'run_uuid',
  'runId',
  'experiment_id',
  'experiment_ids',
  'name',
  'new_name',
  'key',
  'value',
  'timestamp',
  'step',
  'metrics',
  'params',
  'tags',
  'datasets',
  'dataset',
  'models',
  'filter',
  'filter_string',
  'order_by',
  'max_results',
  'page_token',
  'alias',
  'version',
  'stage',
  'stages',
  'source',
  'description',
  'status',
  'end_time',
  'start_time',
  'run_view_type',
  'view_type',
  'artifact_location',
  'lifecycle_stage',
  'model_id',
  'model_json',
  'metric_key',
  'run_ids',
  'path',
  'parts',
  'upload_id',
  'num_parts',
  'url',
  'events',
  'secret',
  'digest',
  'field_name',
  'ascending',
  'archive_existing_versions',
  'webhook_id',
  'event',
  'part_number',
  'etag',
  'expiration',
  '__proto__',
];

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: fc.constantFrom(...words) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...Object.keys({ run_id: 0, name: 0, version: 0 })).map((id) => `$${id}`),
    },
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(0, -1, 1, 1.5, 2 ** 53, 1e308, 50_001, '7', '-1', 'NaN', 'Infinity', true, 'true', null),
    fc.double(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...fieldNames), tie('value')), { maxLength: 5 })
      .map(Object.fromEntries),
  ),
}));
/** Plausible requests, so that mutations reach deeper code. */
const decent: Readonly<Record<string, unknown>> = {
  run_id: '$run_id',
  run_ids: ['$run_id'],
  experiment_id: '0',
  experiment_ids: ['0'],
  name: '$name',
  version: '1',
  key: 'k',
  value: '1',
  timestamp: 1,
  step: 2,
  metric_key: 'k',
  max_results: 5,
  metrics: [{ key: 'k', value: 'NaN', timestamp: 1, step: 1 }],
  params: [{ key: 'p', value: 'v' }],
  tags: [{ key: 't', value: 'v' }],
  stage: 'Production',
  alias: 'best',
  source: 'runs:/$run_id/model',
  filter: "name = 'a' OR tags.t = 'v'",
  order_by: ['name DESC'],
  status: 'FINISHED',
  path: 'a/b',
};
const member = fc.constantFrom(...fieldNames).chain((name) => {
  const typical = Object.hasOwn(decent, name) ? fc.constant(decent[name]) : value;
  return fc.tuple(fc.constant(name), fc.oneof({ weight: 3, arbitrary: typical }, value));
});
const message = fc
  .tuple(fc.subarray(Object.entries(decent)), fc.array(member, { maxLength: 4 }))
  .map(([good, odd]) => Object.fromEntries([...good, ...odd]) as object);
const body = fc.oneof(
  { weight: 10, arbitrary: message.map((given) => JSON.stringify(given)) },
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const segment = fc.constantFrom(
  ...words,
  '$run_id',
  '$name',
  'm-1',
  '%',
  '%FF',
  '%2e%2e',
  'a%2Fb',
  '.',
  '..',
);

/** `$run_id` and the like become ids of existing objects; without them few requests go deep. */
const fill = (text: string) =>
  text.replaceAll(/\$(run_id|name|version)/g, (_, id: string) => known[id] ?? '');

test('no request is a 5xx, and every error has the shape that MLflow’s clients read', async () => {
  const statuses = new Map<number, number>();
  const answering = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat({ max: 5 }).map((die) => die === 0),
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      body,
      async (choice, isWild, method, segments, text) => {
        const all = groups.flatMap(({ group }) => group.routes.map((route) => ({ group, route })));
        const chosen = all[choice % all.length];
        if (!chosen) throw new Error('no routes');
        const { group, route } = chosen;
        let next = 0;
        const path = isWild
          ? segments.join('/')
          : route.path.replaceAll(/\{\*?\w+\}/g, () => segments[next++ % segments.length] ?? '');
        const sent = fill(text);
        const asked: Asked = {
          method: isWild ? method : route.method,
          path: `${group.prefix}/${fill(path).toWellFormed()}`,
          ...((isWild ? method : route.method) === 'GET' ? { query: toQuery(parse(sent)) } : { body: sent }),
        };
        const answer = await ask(asked);
        if (answer.status === 200) answering.add(route.name);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        expect(answer.status, `${JSON.stringify(asked)}: ${answer.text}`).toBeLessThan(500);
        if (answer.status >= 300) {
          expect(JSON.parse(answer.text), JSON.stringify(asked)).toEqual({
            error_code: expect.stringMatching(/^[A-Z_]+$/) as string,
            message: expect.any(String) as string,
          });
        }
      },
    ),
    { numRuns: Number(process.env['SLIPWAY_TEST_RUNS'] ?? 1_500) },
  );
  // Requests that only fail the first checks would prove nothing about the code behind them.
  expect(statuses.get(200)).toBeGreaterThan(50);
  expect(answering.size).toBeGreaterThan(15);
});

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed !== null && typeof parsed === 'object' ? { ...parsed } : {};
  } catch {
    // A value that is not JSON is sent unchanged as a body; a query cannot express it.
    return {};
  }
}

function toQuery(fields: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(fields))
    for (const item of Array.isArray(field) ? field : [field])
      query.append(name, typeof item === 'string' ? item : JSON.stringify(item));
  return query.toString();
}
