import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadApp } from '../../local/worker/load.ts';
import { startFixtureHost, streamingAppDir, type FixtureHost } from '../support/host/fixture-host.ts';
import { tapWire } from '../support/host/wire-golden.ts';

let host: FixtureHost;
beforeAll(async () => {
  host = await startFixtureHost({
    appDir: streamingAppDir,
    extraSettings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(8 * 2 ** 20) },
  });
});
afterAll(() => host.stop());

const upload = (sizeBytes: number): Promise<Response> => {
  const chunk = new Uint8Array(65_536);
  let left = sizeBytes;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunk.subarray(0, Math.min(left, chunk.length));
      left -= next.length;
      if (next.length > 0) controller.enqueue(next);
      else controller.close();
    },
  });
  const init = { method: 'POST', body, duplex: 'half', headers: { 'x-probe': 'p' } };
  return fetch(`${host.url}/up/big%20file?q=1`, init as RequestInit);
};

test('a body streams to the function, with its route, query and headers', async () => {
  const response = await upload(5_000_000);
  expect(await response.json()).toEqual({
    sizeBytes: 5_000_000,
    name: 'big file',
    probe: 'p',
    url: `${host.url}/up/big%20file?q=1`,
  });
});

test('an answer streams while it is produced, and HEAD has no body', async () => {
  const response = await fetch(`${host.url}/down/200`);
  expect([response.headers.get('x-own'), response.headers.get('content-type')]).toEqual([
    'yes',
    'text/plain',
  ]);
  expect(response.headers.get('x-ms-invocation-id')).toBeNull();
  const text = await response.text();
  expect(text.trim().split('\n').map(Number)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  const head = await fetch(`${host.url}/down/3`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('trap 13: a streamed body over the limit is 413, announced or not', async () => {
  expect((await upload(9 * 2 ** 20)).status).toBe(413);
  const announced = await fetch(`${host.url}/up/x`, { method: 'POST', body: new Uint8Array(9 * 2 ** 20) });
  expect(announced.status).toBe(413);
  expect((await upload(10)).status).toBe(200);
});

test('a function may answer without reading the body', async () => {
  const response = await fetch(`${host.url}/unread`, { method: 'POST', body: new Uint8Array(4 * 2 ** 20) });
  expect(response.status).toBe(202);
});

test('a function that throws is a bare 500; one that breaks off cuts the connection', async () => {
  const failed = await fetch(`${host.url}/fails`);
  expect([failed.status, await failed.text()]).toEqual([500, '']);
  await expect(fetch(`${host.url}/breaks`).then((response) => response.text())).rejects.toThrow(/terminated/);
  expect((await upload(10)).status).toBe(200);
});

test('the host keeps serving when clients leave in the middle of a body', async () => {
  for (let count = 0; count < 10; count++) {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(host.url).port) });
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(
      count % 2 === 0
        ? 'POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf'
        : 'GET /down/5000 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    if (count % 2 === 1) await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  }
  expect((await upload(10)).status).toBe(200);
});

test('the server that the SDK starts accepts no connections', async () => {
  const { capabilities, server } = await loadApp(streamingAppDir, () => {});
  const port = Number(new URL(capabilities['HttpUri'] ?? '').port);
  expect([port > 0, server?.listening]).toEqual([true, false]);
  const socket = connect({ host: '127.0.0.1', port });
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('an unknown route and a wrong method are 404 here, too', async () => {
  expect((await fetch(`${host.url}/unknown`)).status).toBe(404);
  expect((await fetch(`${host.url}/up/x`)).status).toBe(404);
});

test('trap 22: http streaming', async () => {
  const wire = await tapWire(streamingAppDir);
  const headers = { 'user-agent': 'test' };
  await fetch(`${host.url}/up/name?q=1`, { method: 'POST', body: 'x', headers });
  await wire.expectGolden('http-streaming', 'stream-up', host.url);
});
