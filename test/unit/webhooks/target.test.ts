import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isPublicAddress } from '../../../shared/domains/webhooks/sending/addresses.ts';
import { createSender } from '../../../shared/domains/webhooks/sending/send.ts';
import { patienceMs } from '../../support/hang-guard.ts';
import {
  createLookup,
  readTarget,
  type Resolve,
  systemResolve,
  type TargetPolicy,
} from '../../../shared/domains/webhooks/sending/target.ts';

describe('public addresses', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '20.50.2.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(true));
});

describe('addresses that are not public', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '168.63.129.16',
    '100.64.0.1',
    '100.127.255.255',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:4136:e378::1',
    '2001:db8::1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00::1',
    'fc00::1',
    'ff02::1',
    'not an address',
    '',
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(false));

  test('all of 10.0.0.0/8, 127.0.0.0/8 and 169.254.0.0/16', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.constantFrom('10', '127', '169.254'), byte, byte, byte, (start, b, c, d) => {
        const rest = start.includes('.') ? [c, d] : [b, c, d];
        const address = [start, ...rest].join('.');
        expect(isPublicAddress(address)).toBe(false);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
      }),
    );
  });
});

describe('the policy "public" refuses', () => {
  test.each([
    ['   ', 'cannot be empty'],
    ['no-url', "Invalid webhook URL scheme: ''"],
    ['ftp://example.com', 'Invalid webhook URL scheme'],
    ['http://example.com/x', 'Invalid webhook URL scheme'],
    ['file:///etc/passwd', 'Invalid webhook URL scheme'],
    ['https://[invalid', 'Invalid webhook URL'],
    ['https://', 'Invalid webhook URL'],
    ['https://user:pass@example.com/', 'must not hold a user name'],
    ['https://127.0.0.1/', 'not a public address'],
    ['https://127.1/', 'not a public address'],
    ['https://0x7f000001/', 'not a public address'],
    ['https://2130706433/', 'not a public address'],
    ['https://0177.0.0.1/', 'not a public address'],
    ['https://[::1]/', 'not a public address'],
    ['https://[::ffff:10.0.0.1]/', 'not a public address'],
    ['https://169.254.169.254/metadata/identity', 'not a public address'],
    ['https://localhost/', 'not a public address'],
    ['https://a.localhost./', 'not a public address'],
    ['https://db.internal/', 'not a public address'],
    [`https://example.com/${'x'.repeat(3_000)}`, 'at most 2048 characters'],
  ])('%s', (url, message) => {
    expect(() => readTarget(url, 'public')).toThrow(message);
  });

  test('nothing else', () => {
    expect(readTarget('https://example.com:8443/hook?a=b', 'public').host).toBe('example.com:8443');
  });
});

test('the policy "any" allows HTTP and private addresses', () => {
  expect(readTarget('http://127.0.0.1:8080/hook', 'any').port).toBe('8080');
  expect(() => readTarget('http://[invalid', 'any')).toThrow('Invalid webhook URL');
  expect(() => readTarget('ftp://127.0.0.1/', 'any')).toThrow('Invalid webhook URL scheme');
});

test('refuses a name that resolves to this machine', async () => {
  const lookup = createLookup('public', systemResolve);
  const found = await new Promise((resolve) => {
    lookup('localhost', { all: true }, (error) => resolve(error));
  });
  expect(found).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test.each([
  [[{ address: '127.0.0.1', family: 4 }]],
  // One of several is enough: any of them could be connected to.
  [
    [
      { address: '1.1.1.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  ],
  [[{ address: '::ffff:127.0.0.1', family: 6 }]],
])('refuses a public name that resolves to %j at connection time', async (addresses) => {
  const { port, connections } = await listen();
  const resolve: Resolve = (_hostname, _options, callback) => callback(null, addresses);
  const send = (policy: TargetPolicy) =>
    createSender({ resolve }, { policy, timeoutMs: patienceMs }).send(
      `https://example.com:${port}/`,
      {},
      '{}',
    );
  await expect(send('public')).resolves.toEqual({
    kind: 'forbidden',
    reason: "Webhook URL host 'example.com' is not a public address.",
  });
  expect(connections()).toBe(0);
});

test('refuses a private address that was stored before the policy changed', async () => {
  const { port, connections } = await listen();
  const sender = createSender({ resolve: systemResolve }, { policy: 'public', timeoutMs: patienceMs });
  await expect(sender.send(`https://127.0.0.1:${port}/`, {}, '{}')).resolves.toMatchObject({
    kind: 'forbidden',
  });
  expect(connections()).toBe(0);
  // It arrives under the other policy, so the test can fail.
  await createSender({ resolve: systemResolve }, { policy: 'any', timeoutMs: patienceMs }).send(
    `https://127.0.0.1:${port}/`,
    {},
    '{}',
  );
  expect(connections()).toBe(1);
});

async function listen() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}
