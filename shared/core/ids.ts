import { hash, randomInt, randomUUID } from 'node:crypto';

/** The source of identifiers and randomness, injected so that tests can fix them. */
export interface Ids {
  /** A UUID v4, lower case. */
  uuid(): string;
  /** A uniform number in [0, 1). */
  random(): number;
}

const randomSteps = 2 ** 48 - 1;

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  // Draws from Node's pool of random bytes, as `randomUUID` does.
  random: () => randomInt(randomSteps) / randomSteps,
};

/**
 * SHA-256 as 64 lower-case hex digits.
 *
 * @example
 * sha256('abc') // 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data);
}
