import { toAppError } from './core/errors.ts';

export interface DependencyHealth {
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  readonly reason?: string;
}

/** Pings every dependency at once; one that has not answered in time is down. Never throws. */
export async function checkDependencies(
  pings: Readonly<Record<string, () => Promise<void>>>,
  timeoutMs: number,
): Promise<Record<string, DependencyHealth>> {
  const checked = await Promise.all(
    Object.entries(pings).map(async ([name, ping]) => [name, await check(ping, timeoutMs)] as const),
  );
  return Object.fromEntries(checked);
}

async function check(ping: () => Promise<void>, timeoutMs: number): Promise<DependencyHealth> {
  const startedAt = performance.now();
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
  const reason = await Promise.race([
    late,
    ping().then(
      () => undefined,
      (error: unknown) => toAppError(error).message,
    ),
  ]);
  clearTimeout(timer);
  const latencyMs = Math.round((performance.now() - startedAt) * 10) / 10;
  return reason === undefined ? { status: 'up', latencyMs } : { status: 'down', latencyMs, reason };
}
