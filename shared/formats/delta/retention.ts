import type { Metadata } from './log/actions.ts';

const dayMs = 86_400_000;
const unitsMs = new Map([
  ['nanosecond', 1e-6],
  ['microsecond', 1e-3],
  ['millisecond', 1],
  ['second', 1_000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', dayMs],
  ['week', 7 * dayMs],
]);

/**
 * How long a removed file stays in checkpoints: `delta.deletedFileRetentionDuration`, or Delta's default of a week if that
 * is missing or invalid.
 *
 * @returns milliseconds
 */
export function readTombstoneRetention({ configuration }: Metadata): number {
  return parseInterval(configuration['delta.deletedFileRetentionDuration'] ?? '') ?? 7 * dayMs;
}

/**
 * @returns milliseconds; undefined for an invalid interval
 * @example
 * parseInterval('interval 1 week 2 days') // 777600000
 */
export function parseInterval(text: string): number | undefined {
  const [first, ...words] = text.trim().toLowerCase().split(/\s+/);
  if (first !== 'interval' || words.length === 0 || words.length % 2 !== 0) return undefined;
  let totalMs = 0;
  for (let at = 0; at < words.length; at += 2) {
    const amount = Number(words[at]);
    const unitMs = unitsMs.get(words[at + 1]?.replace(/s$/, '') ?? '');
    if (unitMs === undefined || !(amount >= 0)) return undefined;
    totalMs += amount * unitMs;
  }
  return totalMs;
}
