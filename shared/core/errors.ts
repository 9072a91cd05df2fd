/**
 * What a retry of the same work can do: nothing, or succeed later. `maybe` is a failure that nobody foresaw, more often
 * a defect than an outage: worth few attempts.
 */
export type RetryIntent = 'never' | 'maybe' | 'later';

/** Each code decides the HTTP status that callers see and whether a retry can help. */
export const errorCodes = {
  INVALID_ARGUMENT: { status: 400, retry: 'never' },
  UNAUTHENTICATED: { status: 401, retry: 'never' },
  PERMISSION_DENIED: { status: 403, retry: 'never' },
  NOT_FOUND: { status: 404, retry: 'never' },
  METHOD_NOT_ALLOWED: { status: 405, retry: 'never' },
  REQUEST_TIMEOUT: { status: 408, retry: 'later' },
  ALREADY_EXISTS: { status: 409, retry: 'never' },
  /** Something newer has replaced what the work is about, and has its own work. */
  SUPERSEDED: { status: 409, retry: 'never' },
  PRECONDITION_FAILED: { status: 412, retry: 'never' },
  PAYLOAD_TOO_LARGE: { status: 413, retry: 'never' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: 'never' },
  UNPROCESSABLE: { status: 422, retry: 'never' },
  RATE_LIMITED: { status: 429, retry: 'later' },
  CANCELLED: { status: 499, retry: 'never' },
  INTERNAL: { status: 500, retry: 'maybe' },
  /** Only another configuration makes it work. */
  NOT_IMPLEMENTED: { status: 501, retry: 'never' },
  UNAVAILABLE: { status: 503, retry: 'later' },
  TIMEOUT: { status: 504, retry: 'later' },
  INSUFFICIENT_STORAGE: { status: 507, retry: 'later' },
} as const satisfies Record<string, { readonly status: number; readonly retry: RetryIntent }>;

export type ErrorCode = keyof typeof errorCodes;

/** Facts that are safe to show to the caller: a field path, a limit, a remedy. `defineErrors` types them. */
export interface ErrorDetails {
  /** How long to wait before a retry, when it is known; also sent as `Retry-After`. */
  readonly retryAfterMs?: number;
  readonly [fact: string]: unknown;
}

/**
 * An expected failure. Callers may see its message and details, never its cause.
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

/** Whether a retry of the work that threw this can help; an unknown failure is `maybe`. */
export function retryIntent(error: unknown): RetryIntent {
  return isAppError(error) ? errorCodes[error.code].retry : 'maybe';
}

/** The attempts that a failure which may be a defect is worth. */
const maxDoubtfulAttempts = 3;

/**
 * How many attempts a failure is worth in all, the first included.
 *
 * @param maxAttempts of a failure that a retry can help
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
 * Whether a failure is final after some attempts, the failed one included.
 *
 * @param maxAttempts of a failure that a retry can help; unbounded when left out
 */
export function isFinal(error: unknown, attempts: number, maxAttempts = Infinity): boolean {
  return attempts >= maxAttemptsFor(retryIntent(error), maxAttempts);
}

/** A cause in words, for the log only: it can hold internals. */
export function describeCause(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
}

/** An unknown failure becomes INTERNAL, and keeps the failure as its cause, for the log. */
export function toAppError(error: unknown): AppError {
  return isAppError(error)
    ? error
    : new AppError('INTERNAL', 'Something failed inside the platform.', {}, error);
}
