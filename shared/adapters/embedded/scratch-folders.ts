import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../core/ids.ts';

/**
 * Folders for scratch files, below the system's temporary folder. Their names tell whose they are, so that the next
 * process of this machine can remove what a killed one left behind: `slipway-<host>-<process>-<its start>-…`.
 */

const host = sha256(hostname()).slice(0, 8);
const pattern = /^slipway-([0-9a-f]{8})-(\d+)-(\d+)-[A-Za-z0-9]{6}$/;
let sweep: Promise<void> | undefined;

/** An empty folder of this process's own. The first one also removes what is left of processes that are gone. */
export async function makeScratchFolder(): Promise<string> {
  const parent = tmpdir();
  await (sweep ??= removeLeftovers(parent));
  return await mkdtemp(join(parent, `slipway-${host}-${process.pid}-${findStart(process.pid) ?? 0}-`));
}

async function removeLeftovers(parent: string): Promise<void> {
  // A folder that cannot be read is told of by what is made in it.
  const names = await readdir(parent).catch(() => []);
  const left = names.filter((name) => {
    const [, owner, pid, start] = pattern.exec(name) ?? [];
    return owner === host && !isRunning(Number(pid), Number(start));
  });
  // Two may come upon the same one; what cannot be removed is in nobody's way.
  await Promise.allSettled(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

/** A number alone may be another process's by now. */
function isRunning(pid: number, start: number): boolean {
  if (process.platform === 'linux') return findStart(pid) === start;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process was started, in ticks since the machine was; undefined when there is none, and where that is not
 * told.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (field 22)
 */
function findStart(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may hold anything.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
