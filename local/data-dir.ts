import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../shared/core/errors.ts';

export interface DataDirLock {
  release(): void;
}

/**
 * Makes the data folder this host's alone. The lock is an exclusive SQLite lock on a file of its own, so the
 * operating system drops it when the process ends, however it ends: nothing stale is left by SIGKILL.
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
    const message = `Another host (process ${pid}) is using ${dataDir}. Stop it, or give --data-dir another folder.`;
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

/** What the platform keeps in the data folder; `--clean` removes these and nothing else that may be there. */
const ownEntries = [
  'host.db',
  'host.db-wal',
  'host.db-shm',
  'metadata.db',
  'metadata.db-wal',
  'metadata.db-shm',
];

/** Empties the data folder. Hold its lock. */
export function cleanDataDir(dataDir: string): void {
  for (const entry of [...ownEntries, 'azurite', 'keys.json', 'webhook.key', 'endpoints.json'])
    rmSync(join(dataDir, entry), { recursive: true, force: true });
}

/** What keeps the secrets of webhooks: made at the first start, for its owner's eyes only. */
export function openWebhookKey(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = randomBytes(32).toString('base64');
  // A rename, so that a kill in between leaves either no file or a whole one.
  writeFileSync(`${file}.new`, `${key}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return key;
}
