import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { judge } from '../../../shared/domains/webhooks/retry.ts';
import { createSender } from '../../../shared/domains/webhooks/send.ts';
import { patienceMs } from '../../support/hang-guard.ts';
import { settle, useVirtualTimers } from '../../support/virtual-timers.ts';
import { startReceiver } from '../../support/tracking/receiver.ts';

const sender = createSender({ policy: 'any', timeoutMs: patienceMs });
const impatient = createSender({ policy: 'any', timeoutMs: 200 });

test('body and headers arrive as they were signed', async () => {
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

test('redirects are not followed', async () => {
  const elsewhere = await startReceiver();
  const { url } = await startReceiver(
    ({ response }) => void response.writeHead(307, { location: elsewhere.url }).end(),
  );
  await expect(sender.send(url, {}, '{}')).resolves.toMatchObject({ status: 307 });
  expect(elsewhere.received).toEqual([]);
});

test('an endless answer is cut off, and counts by its status', async () => {
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

test('an answer that stops in the middle counts by its status when time is up', async () => {
  const { url } = await startReceiver(({ response }) => void response.writeHead(200).write('so far'));
  useVirtualTimers();
  await expect(settle(impatient.send(url, {}, '{}'), 1)).resolves.toEqual({
    kind: 'answered',
    status: 200,
    body: 'so far',
  });
});

test('a receiver that never answers is given up', async () => {
  const { url } = await startReceiver(() => {});
  useVirtualTimers();
  await expect(settle(impatient.send(url, {}, '{}'), 1)).resolves.toEqual({
    kind: 'failed',
    reason: 'no answer within 200 ms',
  });
});

test('a receiver that hangs up, or is not there, may come back', async () => {
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

test('a receiver that speaks no TLS, or whose certificate nobody vouches for, gets nothing', async () => {
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

test('the receiver may say when to come again', async () => {
  const { url } = await startReceiver(
    ({ response }) => void response.writeHead(429, { 'retry-after': '7' }).end(),
  );
  await expect(sender.send(url, {}, '{}')).resolves.toMatchObject({ status: 429, retryAfterMs: 7_000 });
});

const answered = (status: number, retryAfterMs?: number) =>
  ({ kind: 'answered', status, body: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }) as const;
const first = { attempt: 1, maxAttempts: 4, random: 0.5 };

test.each([200, 201, 202, 204])('%i is delivered', (status) => {
  expect(judge(answered(status), first)).toEqual({ kind: 'delivered' });
});

test.each([301, 302, 307, 400, 401, 404, 410, 501])('%i will not change', (status) => {
  expect(judge(answered(status), first)).toMatchObject({
    kind: 'giveUp',
    reason: expect.stringContaining(`${status}`) as unknown,
  });
});

test.each([408, 425, 429, 500, 502, 503, 504, 520])(
  '%i is tried again, ever later, and given up at last',
  (status) => {
    const delays = [1, 2, 3].map((attempt) => judge(answered(status), { ...first, attempt }));
    expect(delays).toMatchObject([{ afterMs: 1_000 }, { afterMs: 4_000 }, { afterMs: 16_000 }]);
    expect(judge(answered(status), { ...first, attempt: 4 })).toMatchObject({ kind: 'giveUp' });
  },
);

test('no wait is longer than an hour, whoever asks for it', () => {
  expect(judge(answered(503, 999_999_000), first)).toMatchObject({ afterMs: 3_600_000 });
  expect(judge(answered(503), { attempt: 19, maxAttempts: 20, random: 1 })).toMatchObject({
    afterMs: 3_600_000,
  });
  expect(judge(answered(503, 9_000), first)).toMatchObject({ afterMs: 9_000 });
});
