import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';

/** A secret as it is stored: only who holds the key can read it. */
export const sealedSecretSchema = z.object({
  /** Which of the keys sealed it. */
  keyId: z.string(),
  /** Base64 of nonce, ciphertext and tag. */
  sealed: z.string(),
});
export type SealedSecret = z.infer<typeof sealedSecretSchema>;

export interface SecretBox {
  /** @throws INVALID_ARGUMENT with the remedy when there is no key */
  seal(secret: string, owner: string): SealedSecret;
  /** @throws UNAVAILABLE with the remedy when its key is not among the keys, or the seal is broken */
  open(sealed: SealedSecret, owner: string): string;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM. The first key seals, all of them open: so a new key is put before the old one, which goes once nothing
 * needs it. What is sealed for one owner opens for no other.
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
          'A webhook with a secret needs a key to keep it under, and this server has none: set SLIPWAY_WEBHOOK_KEYS (see its documentation), or leave the secret out.',
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
      if (key === undefined) throw cannotOpen('the key that it was sealed with is not set');
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
          .setAAD(Buffer.from(owner))
          .setAuthTag(bytes.subarray(-tagBytes));
        const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch (error) {
        throw cannotOpen('it was changed where it is stored', error);
      }
    },
  };
}

function cannotOpen(why: string, cause?: unknown): AppError {
  return new AppError(
    'UNAVAILABLE',
    `The webhook's secret cannot be read: ${why}. Add the key to SLIPWAY_WEBHOOK_KEYS, or give the webhook its secret anew.`,
    { setting: 'SLIPWAY_WEBHOOK_KEYS' },
    cause,
  );
}

/** Tells keys apart and nothing about them. */
function toKeyId(key: Uint8Array): string {
  return createHash('sha256').update('slipway webhook key\n').update(key).digest('hex').slice(0, 8);
}
