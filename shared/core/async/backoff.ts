export interface Backoff {
  /** The mean delay before the first retry. */
  readonly baseMs: number;
  /** The ratio of consecutive delays; default 2. */
  readonly factor?: number;
  /** The longest mean delay. */
  readonly maxMs: number;
  /** The random share of the delay, 0 to 1, so that callers that failed together do not retry together. */
  readonly jitter?: number;
}

/**
 * The delay before a retry: `baseMs · factor^(failures - 1)`, at most `maxMs`, plus or minus the share `jitter`.
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
