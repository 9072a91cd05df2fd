import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The access keys of the app, as in the real host's secrets. */
export interface HostKeys {
  /** Opens everything. */
  readonly master: string;
  /** Opens every function of level "function". */
  readonly default: string;
  /** Opens the Durable extension's webhooks. */
  readonly durableTask: string;
}

export type AuthLevel = 'anonymous' | 'function' | 'admin';

/** Reads the keys, or creates them at the first start in a file that only its owner can read. */
export function openKeys(file: string): HostKeys {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as HostKeys;
  const newKey = (): string => randomBytes(40).toString('base64url');
  const keys: HostKeys = { master: newKey(), default: newKey(), durableTask: newKey() };
  // A rename is atomic: after a kill there is no file or a complete one.
  writeFileSync(`${file}.new`, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return keys;
}

/** Whether `given` opens a function of this level: the master key, or the default key unless it is admin. */
export function opensFunction(keys: HostKeys, level: AuthLevel, given: string | undefined): boolean {
  if (level === 'anonymous') return true;
  if (given === undefined) return false;
  return isSameKey(given, keys.master) || (level === 'function' && isSameKey(given, keys.default));
}

/** Whether `given` opens the Durable webhooks: their system key or the master key. */
export function opensDurableWebhooks(keys: HostKeys, given: string | undefined): boolean {
  return given !== undefined && (isSameKey(given, keys.durableTask) || isSameKey(given, keys.master));
}

/** Compares in constant time. */
function isSameKey(given: string, key: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}
