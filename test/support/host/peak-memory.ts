import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Linux counts the peak of each process; other systems do not. */
export const canReadPeakMemory = existsSync('/proc/self/clear_refs');

/** The most memory that a process held at once since {@link resetPeakMemory}, or since its start. */
export function readPeakMemoryMb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Sets the peak to what the process holds now. @see https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
export function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
