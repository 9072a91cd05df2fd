import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** The last line of a measuring child process. */
export interface Measured {
  readonly seconds: number;
  readonly peakRssMb: number;
}

/** Runs a measurement in a separate process, so that none inherits memory or warm caches. */
export async function runChild<Result extends Measured>(
  script: string,
  args: readonly string[],
): Promise<Result> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
    maxBuffer: 64 * 2 ** 20,
    timeout: 20 * 60_000,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result;
}

/**
 * The most memory this process ever held, in MB (10^6 bytes). Linux keeps it as VmHWM; `maxRSS`, which others have,
 * begins there with what the parent held.
 */
export function readPeakRssMb(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kib !== undefined) return (Number(kib) * 1024) / 1e6;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
