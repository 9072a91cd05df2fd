import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecretBox } from '../../../shared/domains/webhooks/secret-box.ts';

const key = randomBytes(32);
const secret = 'сек ret';

test('opens a secret with the same key for the same owner', () => {
  const sealed = createSecretBox([key]).seal(secret, 'w');
  expect(createSecretBox([key]).open(sealed, 'w')).toBe(secret);
  expect(JSON.stringify(sealed)).not.toContain(secret);
});

test('never seals a secret to the same ciphertext twice', () => {
  const box = createSecretBox([key]);
  expect(box.seal(secret, 'w')).not.toEqual(box.seal(secret, 'w'));
});

test('seals with the first key and opens with all', () => {
  const old = createSecretBox([key]).seal(secret, 'w');
  const newer = randomBytes(32);
  const both = createSecretBox([newer, key]);
  expect(both.open(old, 'w')).toBe(secret);
  expect(createSecretBox([newer]).open(both.seal(secret, 'w'), 'w')).toBe(secret);
});

test('does not open without the key, for another owner, or damaged ciphertext', () => {
  const box = createSecretBox([key]);
  const sealed = box.seal(secret, 'w');
  const bytes = Buffer.from(sealed.sealed, 'base64');
  bytes[14]! ^= 1;
  const tries = [
    () => createSecretBox([]).open(sealed, 'w'),
    () => createSecretBox([randomBytes(32)]).open(sealed, 'w'),
    () => box.open(sealed, 'v'),
    () => box.open({ ...sealed, sealed: bytes.toString('base64') }, 'w'),
    () => box.open({ ...sealed, sealed: '' }, 'w'),
  ];
  for (const open of tries) expect(open).toThrow('SLIPWAY_WEBHOOK_KEYS');
});

test('refuses to seal without a key and names the setting', () => {
  expect(() => createSecretBox([]).seal(secret, 'w')).toThrow('SLIPWAY_WEBHOOK_KEYS');
});
