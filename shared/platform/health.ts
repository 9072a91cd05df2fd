import { AppError, toAppError } from '../core/errors.ts';
import { withTimeout } from '../core/async/with-timeout.ts';

export interface DependencyHealth {
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  readonly reason?: string;
}

/** Pings all dependencies concurrently. One that does not answer within `timeoutMs` is down. Never throws. */
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
  const reason = await withTimeout({ timeoutMs, toError: noAnswer }, ping).then(
    () => undefined,
    (error: unknown) => toAppError(error).message,
  );
  const latencyMs = Math.round((performance.now() - startedAt) * 10) / 10;
  return reason === undefined ? { status: 'up', latencyMs } : { status: 'down', latencyMs, reason };
}

function noAnswer(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `no answer within ${timeoutMs} ms`, { timeoutMs });
}
