export interface Backoff {
  /** The mean delay before the first retry. */
  readonly baseMs: number;
  /** How much longer each delay is than the one before; 2 when left out. */
  readonly factor?: number;
  /** The longest mean delay. */
  readonly maxMs: number;
  /** The part of the delay that is random, so that callers that failed together do not retry together: 0 to 1. */
  readonly jitter?: number;
}

/**
 * The delay before a retry: `baseMs · factor^(failures - 1)`, at most `maxMs`, give or take `jitter` of it.
 *
 * @param failures failed attempts so far, 1 or more
 * @param random uniform in [0, 1)
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @example
 * backoffMs(3, { baseMs: 100, maxMs: 10_000 }, 0.9) // 400
 * backoffMs(3, { baseMs: 100, maxMs: 10_000, jitter: 0.5 }, 0) // 200
 */
export function backoffMs(
  failures: number,
  { baseMs, factor = 2, maxMs, jitter = 0 }: Backoff,
  random: number,
): number {
  const delayMs = Math.min(maxMs, baseMs * factor ** (failures - 1));
  return delayMs * (1 + jitter * (2 * random - 1));
}
