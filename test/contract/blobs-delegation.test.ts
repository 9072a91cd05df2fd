import { createHmac } from 'node:crypto';

import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { expect, it } from 'vitest';

import { createPresigner } from '../../shared/adapters/azure/blob/presigner.ts';

const hour = 3_600_000;
const secret = Buffer.from('a key that the service gave').toString('base64');

/** Stands in for the account: issues keys for the requested time, and counts them. */
function startAccount(answer: () => { status: number; code?: string } = () => ({ status: 200 })) {
  let now = Date.UTC(2026, 0, 1);
  const asked: string[] = [];
  const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + hour }) };
  const service = new BlobServiceClient('https://acc.blob.core.windows.net', credential);
  const giveKey = async (signedStartsOn: Date, signedExpiresOn: Date) => {
    asked.push(`${signedStartsOn.toISOString()} ${signedExpiresOn.toISOString()}`);
    const { status, code } = answer();
    const response = { status, headers: new Headers(code === undefined ? {} : { 'x-ms-error-code': code }) };
    if (status !== 200) throw new RestError('no', { statusCode: status, response: response as never });
    const names = {
      signedObjectId: 'oid',
      signedTenantId: 'tid',
      signedService: 'b',
      signedVersion: '2025-07-05',
    };
    return { ...names, signedStartsOn, signedExpiresOn, value: secret };
  };
  service.getUserDelegationKey = giveKey as never;
  const presigner = createPresigner({ service, clock: { now: () => now } }, { timeoutMs: 5_000 });
  const client = service.getContainerClient('artifacts').getBlockBlobClient('a b.bin');
  return {
    asked,
    now: () => now,
    passMs: (ms: number) => {
      now += ms;
    },
    sign: (forMs: number) => presigner.sign(client, { access: 'read', expiresAt: now + forMs }),
  };
}

it('signs with a delegated key that is requested once and renewed before it expires', async () => {
  const account = startAccount();
  const [url] = await Promise.all([account.sign(hour), account.sign(hour), account.sign(2 * hour)]);
  expect(account.asked).toEqual(['2025-12-31T23:45:00.000Z 2026-01-02T00:00:00.000Z']);
  account.passMs(23 * hour);
  await account.sign(hour);
  expect(account.asked).toHaveLength(1);
  await account.sign(hour + 1_000);
  expect(account.asked[1]).toBe('2026-01-01T22:45:00.000Z 2026-01-02T23:00:00.000Z');
  // More than a day needs a separate key, which lasts a week at most.
  await account.sign(7 * 24 * hour);
  expect(account.asked[2]).toBe('2026-01-01T22:45:00.000Z 2026-01-08T23:00:00.000Z');
  await account.sign(hour);
  expect(account.asked).toHaveLength(3);

  const query = new URL(url).searchParams;
  expect(Object.fromEntries(query)).toMatchObject({
    sp: 'r',
    sr: 'b',
    spr: 'https',
    se: '2026-01-01T01:00:00Z',
    skoid: 'oid',
    sktid: 'tid',
    skt: '2025-12-31T23:45:00Z',
    ske: '2026-01-02T00:00:00Z',
    sks: 'b',
  });
  // The string to sign, as documented for version 2026-04-06 and later.
  const v = (name: string) => query.get(name) ?? '';
  const key = ['oid', 'tid', v('skt'), v('ske'), v('sks'), v('skv')];
  const unused = (count: number) => Array.from({ length: count }, () => '');
  const fields = [v('sp'), '', v('se'), '/blob/acc/artifacts/a b.bin', ...key, ...unused(6)];
  const text = [...fields, v('spr'), v('sv'), v('sr'), ...unused(9)].join('\n');
  const hmac = createHmac('sha256', Buffer.from(secret, 'base64'));
  expect(v('sig')).toBe(hmac.update(text).digest('base64'));
});

it('requests the key again after a failure, and reports a missing permission', async () => {
  const answers = [
    { status: 503, code: 'ServerBusy' },
    { status: 403, code: 'AuthorizationPermissionMismatch' },
    { status: 200 },
  ];
  const account = startAccount(() => answers.shift()!);
  await expect(account.sign(hour)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(account.sign(hour)).rejects.toMatchObject({ code: 'NOT_IMPLEMENTED' });
  expect(await account.sign(hour)).toContain('skoid=oid');
  expect(account.asked).toHaveLength(3);
});
