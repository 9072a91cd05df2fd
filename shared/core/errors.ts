/**
 * Whether a retry can succeed. `maybe` is an unexpected failure, more often a defect than an outage, so it is worth few
 * attempts.
 */
export type RetryIntent = 'never' | 'maybe' | 'later';

/** The HTTP status and retry intent of each code. */
export const errorCodes = {
  INVALID_ARGUMENT: { status: 400, retry: 'never' },
  UNAUTHENTICATED: { status: 401, retry: 'never' },
  PERMISSION_DENIED: { status: 403, retry: 'never' },
  NOT_FOUND: { status: 404, retry: 'never' },
  METHOD_NOT_ALLOWED: { status: 405, retry: 'never' },
  REQUEST_TIMEOUT: { status: 408, retry: 'later' },
  ALREADY_EXISTS: { status: 409, retry: 'never' },
  /** Newer work has replaced this work. */
  SUPERSEDED: { status: 409, retry: 'never' },
  PRECONDITION_FAILED: { status: 412, retry: 'never' },
  PAYLOAD_TOO_LARGE: { status: 413, retry: 'never' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: 'never' },
  UNPROCESSABLE: { status: 422, retry: 'never' },
  RATE_LIMITED: { status: 429, retry: 'later' },
  CANCELLED: { status: 499, retry: 'never' },
  INTERNAL: { status: 500, retry: 'maybe' },
  /** Needs another configuration. */
  NOT_IMPLEMENTED: { status: 501, retry: 'never' },
  UNAVAILABLE: { status: 503, retry: 'later' },
  TIMEOUT: { status: 504, retry: 'later' },
  INSUFFICIENT_STORAGE: { status: 507, retry: 'later' },
} as const satisfies Record<string, { readonly status: number; readonly retry: RetryIntent }>;

export type ErrorCode = keyof typeof errorCodes;

/** Facts that are safe to show to the caller: a field path, a limit, a remedy. `defineErrors` types them. */
export interface ErrorDetails {
  /** The delay before a retry, if known; sent as `Retry-After`. */
  readonly retryAfterMs?: number;
  readonly [fact: string]: unknown;
}

/**
 * An expected failure. Its message and details are shown to callers, its cause only to the log.
 *
 * @example
 * new AppError('NOT_FOUND', 'Dataset "flights" does not exist.', { dataset: 'flights' }).status // 404
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  get retryAfterMs(): number | undefined {
    return this.details.retryAfterMs;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** The retry intent of an error; `maybe` for unknown errors. */
export function retryIntent(error: unknown): RetryIntent {
  return isAppError(error) ? errorCodes[error.code].retry : 'maybe';
}

/** The attempts that a `maybe` is worth. */
const maxDoubtfulAttempts = 3;

/**
 * The number of attempts that a failure is worth, including the first.
 *
 * @param maxAttempts the attempts that a `later` is worth
 * @example
 * maxAttemptsFor('maybe', 8) // 3
 */
export function maxAttemptsFor(intent: RetryIntent, maxAttempts: number): number {
  switch (intent) {
    case 'never':
      return 1;
    case 'maybe':
      return Math.min(maxDoubtfulAttempts, maxAttempts);
    case 'later':
      return maxAttempts;
  }
}

/**
 * Whether a failure is final after some attempts, including the failed one.
 *
 * @param maxAttempts the attempts that a `later` is worth; default: unlimited
 */
export function isFinal(error: unknown, attempts: number, maxAttempts = Infinity): boolean {
  return attempts >= maxAttemptsFor(retryIntent(error), maxAttempts);
}

/** Formats a cause for the log. It can contain internals. */
export function describeCause(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
}

/** Wraps an unknown error as INTERNAL, with the error as its cause. */
export function toAppError(error: unknown): AppError {
  return isAppError(error)
    ? error
    : new AppError('INTERNAL', 'Something failed inside the platform.', {}, error);
}
