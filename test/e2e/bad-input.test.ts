import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { declarePipeline, followRun, pipeline, question } from '../../examples/flights/loop.ts';
import { PlatformProcess } from '../../local/platform-process.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly correlationId: string;
}

test('over HTTP: every error has one shape and no stack trace', async () => {
  const platform = await startPlatform();
  const folder = createFolder();
  const file = join(folder, 'flights.parquet');
  await writeFlights(file, { rows: 3_000 });
  await declarePipeline(platform);
  await platform.upload('landing', 'flights/flights.parquet', file);
  await followRun(platform, pipeline, { timeoutMs: patienceMs });

  const score = '/api/v1/models/late-flights/score';
  const rows = (row: object) => JSON.stringify({ rows: [question, row] });
  const cases: [string, string, string, RequestInit, number, RegExp][] = [
    [
      'an unknown model',
      'POST',
      '/api/v1/models/none/score',
      { body: rows(question) },
      404,
      /"none" has no alias/,
    ],
    [
      'an unknown version',
      'POST',
      `${score}?version=99`,
      { body: rows(question) },
      404,
      /"late-flights" has no version 99/,
    ],
    [
      'alias and version at once',
      'POST',
      `${score}?version=1&alias=production`,
      { body: rows(question) },
      400,
      /not both/,
    ],
    ['broken JSON', 'POST', score, { body: '{"rows":[' }, 400, /not JSON/],
    ['no rows', 'POST', score, { body: '{"rows":[]}' }, 400, /rows/],
    ['rows that are not a list', 'POST', score, { body: '{"rows":7}' }, 400, /rows/],
    [
      'a wrong type',
      'POST',
      score,
      { body: rows({ ...question, distance: 'far' }) },
      400,
      /row 1.*distance|distance.*row 1/i,
    ],
    ['a missing column', 'POST', score, { body: rows({ date: question.date }) }, 400, /distance|origin/],
    ['an impossible date', 'POST', score, { body: rows({ ...question, date: '2001-02-30' }) }, 400, /date/],
    [
      'an unknown pipeline definition',
      'PUT',
      '/api/v1/pipelines/p',
      { body: '{"definition":"x","params":{}}' },
      400,
      /"x"/,
    ],
    ['an invalid name', 'GET', '/api/v1/datasets/Flights', {}, 400, /dataset/],
    ['an invalid version', 'GET', '/api/v1/datasets/flights/versions/-1', {}, 400, /version/],
    ['a page size out of range', 'GET', '/api/v1/runs?limit=0', {}, 400, /limit/],
    ['a forged cursor', 'GET', '/api/v1/runs?cursor=abc', {}, 400, /cursor/i],
    ['an unknown run', 'GET', '/api/v1/runs/none', {}, 404, /"none"/],
    [
      'another content type',
      'POST',
      score,
      { body: '<rows/>', headers: { 'content-type': 'text/xml' } },
      415,
      /application\/json/,
    ],
    [
      'a body over the route’s limit',
      'POST',
      score,
      { body: ' '.repeat(17 * 2 ** 20) },
      413,
      /16777216 bytes/,
    ],
  ];
  for (const [name, method, path, init, status, detail] of cases) {
    const response = await fetch(`${platform.url}${path}`, {
      method,
      ...init,
      headers: {
        'content-type': 'application/json',
        ...(init.headers as Record<string, string> | undefined),
      },
    });
    const text = await response.text();
    const problem = JSON.parse(text) as Problem;
    expect(response.status, `${name}: ${text}`).toBe(status);
    expect(response.headers.get('content-type'), name).toBe('application/problem+json');
    expect(problem.detail, name).toMatch(detail);
    expect(problem.correlationId, name).toBe(response.headers.get('x-correlation-id'));
    expect(text, name).not.toMatch(/\bat .+\(.+:\d+:\d+\)|node_modules|\.ts:\d+/);
  }

  // The host answers paths without a route, as in Azure: a bare 404.
  for (const [method, path] of [
    ['GET', '/no/such/route'],
    ['DELETE', '/api/health'],
    ['POST', '/version'],
  ] as const) {
    const response = await fetch(`${platform.url}${path}`, { method });
    expect([response.status, await response.text()], path).toEqual([404, '']);
  }
  expect(await (await fetch(`${platform.url}/api/health`)).json()).toMatchObject({ status: 'healthy' });
});

test('in the landing container: each bad file is rejected with its reason and kept, without affecting others', async () => {
  const platform = await startPlatform();
  const folder = createFolder();
  const good = join(folder, 'good.parquet');
  await writeFlights(good, { rows: 1_000 });
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const cut = join(folder, 'cut.parquet');
  await writeFlights(cut, { rows: 1_000 });
  truncateSync(cut, 5_000);

  const bad: [string, string, RegExp][] = [
    ['flights/empty.parquet', write('empty.parquet', ''), /empty/],
    ['flights/text.parquet', write('text.parquet', 'date,delay\n2001-01-01,3\n'), /Parquet/],
    ['flights/cut.parquet', cut, /Parquet/],
    ['flights/zeros.parquet', write('zeros.parquet', new Uint8Array(4_096)), /Parquet/],
  ];
  for (const [name, file] of bad) await platform.upload('landing', name, file);
  await platform.upload('landing', 'no-folder.parquet', good);
  await platform.upload('landing', 'Upper/case.parquet', good);
  await platform.upload('landing', 'flights/good.parquet', good);

  await expect.poll(async () => (await rejections('flights')).length).toBe(bad.length);
  await expect.poll(async () => (await rejections('_unnamed')).length).toBe(2);
  for (const [name, , reason] of bad) {
    const rejection = (await rejections('flights')).find(({ source }) => source.name === name);
    expect(rejection, name).toMatchObject({ code: 'UNPROCESSABLE' });
    expect(rejection?.reason, name).toMatch(reason);
    expect(rejection?.reason, name).not.toMatch(/\/tmp|slipway-/);
  }
  for (const { reason } of await rejections('_unnamed')) expect(reason).toMatch(/<dataset>\/<file>/);
  await expect
    .poll(
      async () =>
        (await platform.call<{ items: unknown[] }>('GET', 'api/v1/datasets/flights/versions')).items.length,
    )
    .toBe(1);

  async function rejections(dataset: string) {
    const { items } = await platform.call<{
      items: { source: { name: string }; code: string; reason: string }[];
    }>('GET', `api/v1/datasets/${dataset}/rejections`);
    return items;
  }
});

test('in the settings: the start fails and names every fault at once', async () => {
  const start = PlatformProcess.start({
    port: 0,
    dataDir: join(createFolder(), 'data'),
    env: { SLIPWAY_AUTH: 'perhaps', SLIPWAY_SCORE_ROWS: '-1', COSMOS_ENDPOINT: 'https://cosmos.example' },
  });
  const error = await start.then(
    () => new Error('it started'),
    (reason: Error) => reason,
  );
  expect(error.message).toMatch(/SLIPWAY_AUTH: must be "off" or "app-service"/);
  expect(error.message).toMatch(/SLIPWAY_SCORE_ROWS: must be an integer from 1 to 1000000/);
  expect(error.message).toMatch(/SLIPWAY_METADATA_FILE: and COSMOS_ENDPOINT are both set/);
  expect(error.message).not.toMatch(/\n {4}at /);
});
