import fc from 'fast-check';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultTuning } from '../../local/host.ts';
import type { AppSettings } from '../../local/settings/app-settings.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';

let host: FixtureHost;
beforeAll(async () => {
  host = await startFixtureHost({
    extraSettings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' },
  });
});
afterAll(() => host.stop());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}/${path}`, init);
const getJson = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> =>
  (await (await get(path, init)).json()) as Record<string, unknown>;

describe('trap 11: routes', () => {
  test('a constrained parameter matches valid values only', async () => {
    expect(await getJson('items/42')).toMatchObject({ params: { id: '42' } });
    expect((await get('items/forty-two')).status).toBe(404);
    expect((await get('items/99999999999')).status).toBe(404);
  });

  test('an optional parameter may be missing', async () => {
    expect(await getJson('pages/two')).toMatchObject({ params: { page: 'two' } });
    expect(await getJson('pages')).toMatchObject({ params: {} });
    expect((await get('pages/two/three')).status).toBe(404);
  });

  test('a catch-all matches the rest of the path, decoded', async () => {
    expect(await getJson('files/a/b%20c/d.txt')).toMatchObject({ params: { path: 'a/b c/d.txt' } });
    expect(await getJson('files')).toMatchObject({ params: {} });
  });

  test('a function without a route has its name as the route, in any case', async () => {
    expect(await (await get('no-route')).text()).toBe('found by name');
    expect((await get('NO-ROUTE')).status).toBe(200);
  });

  test('an unknown route and a wrong method are both 404, with an empty body', async () => {
    for (const response of [await get('unknown'), await get('echo', { method: 'DELETE' })]) {
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('');
    }
  });

  test('HEAD and OPTIONS are methods like any other', async () => {
    const head = await get('files/x', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get('files/x', { method: 'OPTIONS' })).status).toBe(404);
  });
});

describe('trap 12: keys', () => {
  test('function level needs the default or the master key, as header or code', async () => {
    const { keys } = host;
    const status = async (path: string, headers?: Record<string, string>): Promise<number> =>
      (await get(path, headers && { headers })).status;
    expect(await status('keys/function')).toBe(401);
    expect(await status('keys/function?code=wrong')).toBe(401);
    expect(await status(`keys/function?code=${keys.default}`)).toBe(200);
    expect(await status('keys/function', { 'x-functions-key': keys.master })).toBe(200);
    expect(await status('keys/function', { 'x-functions-key': keys.durableTask })).toBe(401);
    expect(await status(`keys/admin?code=${keys.default}`)).toBe(401);
    expect(await status(`keys/admin?code=${keys.master}`)).toBe(200);
  });

  test('the system key opens the Durable webhooks, and only them', async () => {
    const path = 'runtime/webhooks/durabletask/instances/none';
    expect((await get(path)).status).toBe(401);
    expect((await get(`${path}?code=${host.keys.default}`)).status).toBe(401);
    expect((await get(`${path}?code=${host.keys.durableTask}`)).status).toBe(404);
  });

  test('the admin API needs the master key', async () => {
    expect((await get('admin/host/status')).status).toBe(401);
    expect(await getJson(`admin/host/status?code=${host.keys.master}`)).toMatchObject({ state: 'Running' });
    const listed = await get(`admin/functions?code=${host.keys.master}`);
    expect(((await listed.json()) as { name: string }[]).map(({ name }) => name)).toEqual(
      host.functions.map(({ name }) => name),
    );
    expect(await getJson(`admin/functions/ECHO?code=${host.keys.master}`)).toMatchObject({ name: 'echo' });
    expect((await get(`admin/other?code=${host.keys.master}`)).status).toBe(404);
  });

  test('keys survive a restart', async () => {
    const { keys } = host;
    host = await host.restart();
    expect(host.keys).toEqual(keys);
  });
});

describe('trap 13: limits', () => {
  test('a body up to the limit is accepted, one byte more is 413', async () => {
    const post = (size: number, chunked = false): Promise<Response> => {
      const text = 'x'.repeat(size);
      const body = chunked ? new Blob([text]).stream() : text;
      return get('echo', { method: 'POST', body, ...(chunked && { duplex: 'half' }) });
    };
    expect(((await (await post(1000)).json()) as { body: string }).body).toHaveLength(1000);
    expect(((await (await post(1000, true)).json()) as { body: string }).body).toHaveLength(1000);
    expect((await post(1001)).status).toBe(413);
    expect((await post(1001, true)).status).toBe(413);
  });

  test('a function that does not answer in time is 504', async () => {
    const hold = host.folder.settings['FIXTURE_HOLD']!;
    host = await host.restart({ tuning: { responseTimeoutMs: 400 } });
    writeFileSync(hold, '');
    const response = await get('slow/0');
    expect([response.status, await response.text()]).toEqual([504, '']);
    rmSync(hold);
    host = await host.restart({ tuning: {} });
    expect(await (await get('slow/10')).text()).toBe('late');
  });
});

describe('replies', () => {
  test('the request reaches the handler complete', async () => {
    const reply = await getJson('echo?a=1&a=2&b=%C3%A9', {
      method: 'POST',
      body: 'grüße',
      headers: { 'x-probe': 'p', host: 'elsewhere' },
    });
    expect(reply).toEqual({
      method: 'POST',
      url: `${host.url}/echo?a=1&a=2&b=%C3%A9`,
      params: {},
      query: { a: '1,2', b: 'é' },
      header: 'p',
      body: 'grüße',
    });
  });

  test('a function that throws is a bare 500', async () => {
    const response = await get('fails');
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(JSON.stringify(host.logged)).toContain('secret detail');
  });

  test('nothing returned is 204', async () => {
    expect((await get('nothing-back')).status).toBe(204);
  });

  test('headers and cookies', async () => {
    const response = await get('cookies');
    expect([response.status, response.headers.get('x-own')]).toEqual([201, 'yes']);
    expect(response.headers.getSetCookie()).toEqual([
      'a=1; max-age=60; path=/; samesite=strict; httponly',
      'b=two%20words',
    ]);
  });

  test('hooks see the call, and can turn its error into a result', async () => {
    const response = await get('hooked');
    expect([response.status, await response.text()]).toEqual([418, 'preInvocation']);
  });

  test('a Durable client starts an orchestration whose activity runs in this host', async () => {
    const started = await get('greet/ada', { method: 'POST' });
    expect(started.status, JSON.stringify(host.logged.at(-1))).toBe(202);
    const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
    expect(statusQueryGetUri).toContain(host.url);
    await expect
      .poll(async () => (await fetch(statusQueryGetUri)).json())
      .toMatchObject({ runtimeStatus: 'Completed', output: 'ADA!' });
  });

  test('the URLs of the Durable client are this host, not the localhost:7071 of Core Tools', async () => {
    const { id, ...urls } = await getJson('durable-urls');
    expect(id).toBe('made-up');
    expect(Object.values(urls).length).toBeGreaterThan(3);
    for (const url of Object.values(urls)) expect(url).toMatch(new RegExp(`^${host.url}/runtime/webhooks/`));
  });
});

describe('malformed HTTP', () => {
  const send = (text: string | Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(host.url).port) });
      let answer = '';
      socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.on('error', reject);
      socket.on('close', () => resolve(answer.split('\r\n')[0]!));
      socket.end(text);
    });

  test.each([
    ['no protocol at all', 'hello\r\n\r\n', '400 Bad Request'],
    ['a target that is not a path', 'GET ?x HTTP/1.1\r\nHost: a\r\n\r\n', '400 Bad Request'],
    ['an invalid host', 'GET /echo HTTP/1.1\r\nHost: a"b\r\n\r\n', '400 Bad Request'],
    ['half an IPv6 address', 'GET /echo HTTP/1.1\r\nHost: [::1\r\n\r\n', '400 Bad Request'],
    ['an invalid port', 'GET /echo HTTP/1.1\r\nHost: a:99999\r\n\r\n', '400 Bad Request'],
    ['broken percent-encoding', 'GET /items/%zz HTTP/1.1\r\nHost: a\r\n\r\n', '400 Bad Request'],
    [
      'two lengths',
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      '400 Bad Request',
    ],
    [
      'a header without end',
      `GET /echo HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    ['dot segments', 'GET /a/../echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '200 OK'],
    ['the absolute form', 'GET http://b/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '200 OK'],
    ['HTTP/1.0 without a host', 'GET /echo HTTP/1.0\r\n\r\n', '200 OK'],
  ])('%s', async (_, text, status) => {
    expect(await send(text)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
    expect((await get('echo')).status).toBe(200);
  });

  test("trap 13: without settings, the limits are Azure's: 104,857,600 bytes and 230 s", async () => {
    const limited: AppSettings = { ...host.folder.settings, AzureWebJobsStorage: host.connectionString };
    const { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: _, ...settings } = limited;
    host = await host.restart({ settings });
    const announce = (sizeBytes: number): Promise<string> =>
      send(`POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${sizeBytes}\r\n\r\n`);
    expect(await announce(104_857_601)).toContain('413');
    // The body never comes, but would be accepted.
    expect(await announce(104_857_600)).not.toContain('413');
    expect(defaultTuning.responseTimeoutMs).toBe(230_000);
    host = await host.restart({ settings: limited });
  });

  test('any bytes get a valid answer or none, never 500, and the host keeps serving', async () => {
    const word = fc.string({ unit: 'binary-ascii', maxLength: 30 });
    const request = fc
      .record({
        method: fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT'), word),
        target: fc.oneof(
          word,
          word.map((text) => `/${text}`),
          word.map((text) => `/items/${encodeURIComponent(text)}`),
        ),
        headers: fc.array(
          fc.tuple(
            fc.oneof(fc.constantFrom('Host', 'Content-Length', 'Transfer-Encoding', 'x-functions-key'), word),
            word,
          ),
          { maxLength: 4 },
        ),
        body: word,
      })
      .map(({ method, target, headers, body }) =>
        Buffer.from(
          `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
          'latin1',
        ),
      );
    await fc.assert(
      fc.asyncProperty(request, async (bytes) => {
        expect(await send(bytes)).toMatch(/^$|^HTTP\/1\.1 (?!5)\d{3} /);
      }),
      { numRuns: 300 },
    );
    expect((await get('echo')).status).toBe(200);
  });

  test('a client that leaves in the middle of its body affects no other', async () => {
    for (let count = 0; count < 20; count++) {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(host.url).port) });
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
      socket.destroy();
    }
    expect((await get('echo')).status).toBe(200);
  });

  test('a kept-alive connection serves many requests, also after an error', async () => {
    const requests = [
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n' + 'x'.repeat(2000),
      'GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /no-route HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    ];
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(host.url).port) });
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      socket.setTimeout(patienceMs, () => reject(new Error(`no answer after ${text}`)));
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      socket.write(requests.join(''));
    });
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });
});

test('a function disabled by a setting does not exist', async () => {
  const settings = { ...host.folder.settings, AzureWebJobsStorage: host.connectionString };
  host = await host.restart({ settings: { ...settings, 'AzureWebJobs.no-route.Disabled': 'true' } });
  expect((await get('no-route')).status).toBe(404);
  host = await host.restart({ settings });
  expect((await get('no-route')).status).toBe(200);
});
