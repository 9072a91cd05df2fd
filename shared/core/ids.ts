import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** The source of identifiers and randomness, injected so that tests can fix them. */
export interface Ids {
  /** A UUID v4, lower case. */
  uuid(): string;
  /** A uniform number in [0, 1). */
  random(): number;
}

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};

/**
 * SHA-256 as 64 lower-case hex digits.
 *
 * @example
 * sha256('abc') // 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
