import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { decideRetry } from '../../../shared/domains/webhooks/decide-retry.ts';
import { createSender } from '../../../shared/domains/webhooks/sending/send.ts';
import { systemResolve } from '../../../shared/domains/webhooks/sending/target.ts';
import { patienceMs } from '../../support/hang-guard.ts';
import { settle, useVirtualTimers } from '../../support/virtual-timers.ts';
import { startReceiver } from '../../support/tracking/receiver.ts';

const deps = { resolve: systemResolve };
const sender = createSender(deps, { policy: 'any', timeoutMs: patienceMs });
const impatient = createSender(deps, { policy: 'any', timeoutMs: 200 });

test('sends body and headers unchanged', async () => {
  const { url, received } = await startReceiver();
  const body = '{"name":"модель"}';
  const outcome = await sender.send(
    url,
    { 'Content-Type': 'application/json', 'X-MLflow-Delivery-Id': 'd' },
    body,
  );
  expect(outcome).toEqual({ kind: 'answered', status: 200, body: 'ok' });
  expect(received[0]).toMatchObject({
    body,
    headers: { 'content-type': 'application/json', 'x-mlflow-delivery-id': 'd' },
  });
});

test('does not follow redirects', async () => {
  const elsewhere = await startReceiver();
  const { url } = await startReceiver(
    ({ response }) => void response.writeHead(307, { location: elsewhere.url }).end(),
  );
  await expect(sender.send(url, {}, '{}')).resolves.toMatchObject({ status: 307 });
  expect(elsewhere.received).toEqual([]);
});

test('cuts an endless answer off and counts its status', async () => {
  let writtenBytes = 0;
  const { url } = await startReceiver(({ response }) => {
    response.writeHead(200);
    const more = (): void => {
      if (response.destroyed) return;
      writtenBytes += 65_536;
      response.write('x'.repeat(65_536), () => setImmediate(more));
    };
    more();
  });
  const outcome = await sender.send(url, {}, '{}');
  expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
  expect(outcome.kind === 'answered' && outcome.body.length).toBe(16_384);
  // What the system's buffers hold, and no more.
  expect(writtenBytes).toBeLessThan(32 * 2 ** 20);
});

test('counts the status of an answer that is incomplete at the timeout', async () => {
  const { url } = await startReceiver(({ response }) => void response.writeHead(200).write('so far'));
  useVirtualTimers();
  await expect(settle(impatient.send(url, {}, '{}'), 1)).resolves.toEqual({
    kind: 'answered',
    status: 200,
    body: 'so far',
  });
});

test('fails at the timeout without an answer', async () => {
  const { url } = await startReceiver(() => {});
  useVirtualTimers();
  await expect(settle(impatient.send(url, {}, '{}'), 1)).resolves.toEqual({
    kind: 'failed',
    reason: 'no answer within 200 ms',
  });
});

test('reports a refused or broken connection as transient', async () => {
  const { url } = await startReceiver(({ request }) => void request.socket.destroy());
  await expect(sender.send(url, {}, '{}')).resolves.toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining('ECONNRESET') as unknown,
  });
  await expect(sender.send('http://127.0.0.1:1/secret-path', {}, '{}')).resolves.toEqual({
    kind: 'failed',
    reason: 'the connection failed: ECONNREFUSED',
  });
});

test('sends nothing without TLS or to an untrusted certificate', async () => {
  const plain = await startReceiver();
  const outcome = await sender.send(plain.url.replace('http:', 'https:'), {}, '{}');
  expect(outcome).toMatchObject({ kind: 'failed' });
  expect(plain.received).toEqual([]);
  const server = createTlsServer({}, () => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(sender.send(`https://127.0.0.1:${port}/`, {}, '{}')).resolves.toMatchObject({
    kind: 'failed',
  });
});

test('returns the Retry-After of the answer', async () => {
  const { url } = await startReceiver(
    ({ response }) => void response.writeHead(429, { 'retry-after': '7' }).end(),
  );
  await expect(sender.send(url, {}, '{}')).resolves.toMatchObject({ status: 429, retryAfterMs: 7_000 });
});

const answered = (status: number, retryAfterMs?: number) =>
  ({ kind: 'answered', status, body: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }) as const;
const first = { attempt: 1, maxAttempts: 4, random: 0.5 };

test.each([200, 201, 202, 204])('counts %i as delivered', (status) => {
  expect(decideRetry(answered(status), first)).toEqual({ kind: 'delivered' });
});

test.each([301, 302, 307, 400, 401, 404, 410, 501])('gives up at once on %i', (status) => {
  expect(decideRetry(answered(status), first)).toMatchObject({
    kind: 'giveUp',
    reason: expect.stringContaining(`${status}`) as unknown,
  });
});

test.each([408, 425, 429, 500, 502, 503, 504, 520])(
  'retries %i with backoff and gives up after the last attempt',
  (status) => {
    const delays = [1, 2, 3].map((attempt) => decideRetry(answered(status), { ...first, attempt }));
    expect(delays).toMatchObject([{ afterMs: 1_000 }, { afterMs: 4_000 }, { afterMs: 16_000 }]);
    expect(decideRetry(answered(status), { ...first, attempt: 4 })).toMatchObject({ kind: 'giveUp' });
  },
);

test('never waits longer than an hour', () => {
  expect(decideRetry(answered(503, 999_999_000), first)).toMatchObject({ afterMs: 3_600_000 });
  expect(decideRetry(answered(503), { attempt: 19, maxAttempts: 20, random: 1 })).toMatchObject({
    afterMs: 3_600_000,
  });
  expect(decideRetry(answered(503, 9_000), first)).toMatchObject({ afterMs: 9_000 });
});
