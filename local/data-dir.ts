import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../shared/core/errors.ts';

export interface DataDirLock {
  release(): void;
}

/**
 * Locks the data folder for this host. The lock is an exclusive SQLite lock on a separate file, which the operating
 * system releases when the process ends, also by SIGKILL.
 *
 * @throws AppError ALREADY_EXISTS with the other host's process id
 */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true });
  const pidFile = join(dataDir, 'host.pid');
  const db = new DatabaseSync(join(dataDir, 'host.lock'), { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : 'unknown';
    const message = `Another host (process ${pid}) is using ${dataDir}. Stop it, or choose another folder with --data-dir.`;
    throw new AppError('ALREADY_EXISTS', message, { dataDir, pid }, error);
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    release() {
      rmSync(pidFile, { force: true });
      db.close();
    },
  };
}

/** The platform's databases; `--clean` removes only what the platform created. */
const ownEntries = [
  'host.db',
  'host.db-wal',
  'host.db-shm',
  'metadata.db',
  'metadata.db-wal',
  'metadata.db-shm',
];

/** Deletes the platform's data. The caller holds the lock. */
export function cleanDataDir(dataDir: string): void {
  for (const entry of [...ownEntries, 'azurite', 'keys.json', 'webhook.key', 'endpoints.json'])
    rmSync(join(dataDir, entry), { recursive: true, force: true });
}

/** Reads the key that encrypts webhook secrets, or creates it in a file that only its owner can read. */
export function openWebhookKey(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = randomBytes(32).toString('base64');
  // A rename is atomic: after a kill there is no file or a complete one.
  writeFileSync(`${file}.new`, `${key}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return key;
}
