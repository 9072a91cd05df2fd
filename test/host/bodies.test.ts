import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';

/** The platform's own layer for serving routes, under the host. */
let host: FixtureHost;
beforeAll(async () => {
  host = await startFixtureHost({
    appDir: join(import.meta.dirname, '../support/host/fixture-bodies'),
    extraSettings: { FIXTURE_MEGABYTES: '500' },
  });
});
afterAll(() => host.stop());

const post = (path: string, body: string | Uint8Array | ReadableStream) =>
  fetch(`${host.url}/${path}`, { method: 'POST', body, duplex: 'half' });

/** Without an announced length. */
function unannounced(sizeBytes: number): ReadableStream<Uint8Array> {
  let left = sizeBytes;
  return new ReadableStream({
    pull(controller) {
      const chunk = new Uint8Array(Math.min(left, 65_536));
      left -= chunk.length;
      if (chunk.length > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

async function open(request: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(host.url).port) });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(request);
  return socket;
}

/** The megabytes read from each closed stream, as the fixture recorded them. */
const closed = () =>
  host.recorded().flatMap(({ name }) => (name.startsWith('closed') ? [Number(name.split(' ').at(-1))] : []));

test('a caller that reads nothing pauses the source, and closes it by leaving', async () => {
  const before = closed().length;
  const socket = await open('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  // Without back-pressure, all of it would be read in this time.
  await new Promise((resolve) => setTimeout(resolve, 350));
  socket.destroy();
  await expect.poll(() => closed().length).toBe(before + 1);
  expect(closed().at(-1)).toBeLessThan(40);
});

test('an announced length is sent; HEAD has the headers, no body, and reads nothing', async () => {
  const whole = await fetch(`${host.url}/sized`);
  expect(whole.headers.get('content-length')).toBe('2097152');
  expect((await whole.bytes()).every((byte) => byte === 7)).toBe(true);
  const before = closed().length;
  const head = await fetch(`${host.url}/sized`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '2097152', '']);
  await expect.poll(() => closed().length).toBe(before + 1);
  expect(closed().at(-1)).toBeLessThan(2);
});

test.each(['breaks', 'short', 'stalls'])('an incomplete answer never looks complete: %s', async (path) => {
  const outcome = await fetch(`${host.url}/${path}`)
    // When it breaks before anything was sent, the host can still answer 500.
    .then(async (response) => (response.status === 500 ? 'cut' : response.bytes()))
    .catch(() => 'cut');
  expect(outcome).toBe('cut');
  expect(host.logged.some(({ message }) => message.includes('response cut off'))).toBe(true);
});

test('a source that fails immediately is answered with an error status', async () => {
  const response = await fetch(`${host.url}/fails-at-once`);
  expect(response.status).toBe(500);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.text()).not.toContain('secret');
});

test('the signal of a handler fires when its caller leaves', async () => {
  const gone = new AbortController();
  const asked = fetch(`${host.url}/waits`, { signal: gone.signal }).catch(() => 'gone');
  await host.waitFor('waiting', 1);
  gone.abort();
  expect(await asked).toBe('gone');
  await host.waitFor('aborted', 1);
});

test('unread bodies, whole or in part, do not block the connection', async () => {
  for (const sizeBytes of [100, 70_000, 300_000, 8 * 2 ** 20]) {
    for (const body of [new Uint8Array(sizeBytes), unannounced(sizeBytes)]) {
      const first = await post('first-only', body);
      expect(await first.json(), `first of ${sizeBytes}`).toEqual({ first: true });
    }
    for (const body of [new Uint8Array(sizeBytes).fill(0x20), unannounced(sizeBytes)]) {
      const refused = await post('json', body);
      expect(refused.status, `JSON of ${sizeBytes}`).toBe(sizeBytes > 1_000 ? 413 : 400);
      await refused.body?.cancel();
    }
    const counted = await post('count', unannounced(sizeBytes));
    expect(await counted.json()).toEqual({ sizeBytes });
  }
});

test('a stalled upload is 408, a slow one is not, and a broken one affects no other', async () => {
  const headOf = (path: string) =>
    `POST /${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n`;
  const stalled = await open(`${headOf('count-hasty')}half`);
  expect(await text(stalled)).toMatch(/^HTTP\/1\.1 408 [^]*"code":"REQUEST_TIMEOUT"/);

  // Longer in total than the route's 300 ms.
  const trickling = await open(headOf('count-in-time'));
  for (const byte of '0123456789') {
    await new Promise((resolve) => setTimeout(resolve, 60));
    trickling.write(byte);
  }
  expect(await text(trickling)).toMatch(/^HTTP\/1\.1 200 [^]*"sizeBytes":10/);

  const broken = await open(`${headOf('count')}half`);
  broken.destroy();
  expect(await (await post('count', 'whole')).json()).toEqual({ sizeBytes: 5 });
});
