import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { ScratchFolders } from '../../platform/storage/scratch.ts';

/**
 * Creates folders in the system's temporary folder. Their names identify the owner, so that the next process on this
 * machine can remove those of a killed one: `slipway-<host>-<process>-<its start>-…`.
 */
export function createScratchFolders(): ScratchFolders {
  return {
    async openFolder() {
      try {
        const path = await makeScratchFolder();
        return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
      } catch (error) {
        throw translateDiskError(error);
      }
    },
  };
}

const host = sha256(hostname()).slice(0, 8);
const pattern = /^slipway-([0-9a-f]{8})-(\d+)-(\d+)-[A-Za-z0-9]{6}$/;
let sweep: Promise<void> | undefined;

/** Creates an empty folder. The first call also removes the folders of dead processes. */
export async function makeScratchFolder(): Promise<string> {
  const parent = tmpdir();
  await (sweep ??= removeLeftovers(parent));
  return await mkdtemp(join(parent, `slipway-${host}-${process.pid}-${findStart(process.pid) ?? 0}-`));
}

async function removeLeftovers(parent: string): Promise<void> {
  // If this fails, so does the creation of a folder, with the reason.
  const names = await readdir(parent).catch(() => []);
  const left = names.filter((name) => {
    const [, owner, pid, start] = pattern.exec(name) ?? [];
    return owner === host && !isRunning(Number(pid), Number(start));
  });
  // Ignore failures: another process may remove the same folder, and leftovers do no harm.
  await Promise.allSettled(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

/** Compares the start too, because process ids are reused. */
function isRunning(pid: number, start: number): boolean {
  if (process.platform === 'linux') return findStart(pid) === start;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * The start of a process in clock ticks since boot; undefined for an unknown process, and on systems without `/proc`.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (field 22)
 */
function findStart(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The process name before it can contain parentheses.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

/** Translates a full disk to INSUFFICIENT_STORAGE and an existing path to INVALID_ARGUMENT. */
export function translateDiskError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('INSUFFICIENT_STORAGE', 'The disk for temporary files is full.', {}, error);
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR')
    return new AppError('INVALID_ARGUMENT', 'A scratch file with this path already exists.', {}, error);
  return error;
}
