import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';

/** An encrypted secret, as it is stored. */
export const sealedSecretSchema = z.object({
  /** Identifies the key that sealed it. */
  keyId: z.string(),
  /** Base64 of nonce, ciphertext and tag. */
  sealed: z.string(),
});
export type SealedSecret = z.infer<typeof sealedSecretSchema>;

export interface SecretBox {
  /** @throws INVALID_ARGUMENT with the remedy without a key */
  seal(secret: string, owner: string): SealedSecret;
  /** @throws UNAVAILABLE with the remedy when its key is missing or the ciphertext is damaged */
  open(sealed: SealedSecret, owner: string): string;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts secrets with AES-256-GCM. The first key seals and all keys open: to rotate, put the new key first and remove
 * the old one once no secret uses it. The owner is authenticated data: a secret opens only for the owner that sealed
 * it.
 *
 * @param keys 32 bytes each
 */
export function createSecretBox(keys: readonly Uint8Array[]): SecretBox {
  const byId = new Map(keys.map((key) => [toKeyId(key), key]));
  const [first] = byId;
  return {
    seal(secret, owner) {
      if (first === undefined)
        throw new AppError(
          'INVALID_ARGUMENT',
          'This server has no key to encrypt the webhook secret with. Set SLIPWAY_WEBHOOK_KEYS (see docs/webhooks.md), or omit the secret.',
          { setting: 'SLIPWAY_WEBHOOK_KEYS' },
        );
      const [keyId, key] = first;
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return { keyId, sealed: Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64') };
    },
    open({ keyId, sealed }, owner) {
      const key = byId.get(keyId);
      if (key === undefined) throw cannotOpen(`key ${keyId} is not set`);
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
          .setAAD(Buffer.from(owner))
          .setAuthTag(bytes.subarray(-tagBytes));
        const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch (error) {
        throw cannotOpen('the stored ciphertext is damaged', error);
      }
    },
  };
}

function cannotOpen(why: string, cause?: unknown): AppError {
  return new AppError(
    'UNAVAILABLE',
    `Could not decrypt the webhook secret: ${why}. Add the key to SLIPWAY_WEBHOOK_KEYS, or set the secret again.`,
    { setting: 'SLIPWAY_WEBHOOK_KEYS' },
    cause,
  );
}

/** Identifies a key without revealing it. */
function toKeyId(key: Uint8Array): string {
  return createHash('sha256').update('slipway webhook key\n').update(key).digest('hex').slice(0, 8);
}
