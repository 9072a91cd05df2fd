/**
 * Everything that can go wrong on purpose. A code decides two things, in one table: the HTTP status a caller
 * sees, and whether trying the same thing again can help (queues retry, or dead-letter at once).
 */
export const errorCodes = {
  INVALID_ARGUMENT: { status: 400, retry: false },
  UNAUTHENTICATED: { status: 401, retry: false },
  PERMISSION_DENIED: { status: 403, retry: false },
  NOT_FOUND: { status: 404, retry: false },
  METHOD_NOT_ALLOWED: { status: 405, retry: false },
  REQUEST_TIMEOUT: { status: 408, retry: true },
  ALREADY_EXISTS: { status: 409, retry: false },
  /** What was asked for has been replaced by something newer, which is looked after by itself. */
  SUPERSEDED: { status: 409, retry: false },
  PRECONDITION_FAILED: { status: 412, retry: false },
  PAYLOAD_TOO_LARGE: { status: 413, retry: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: false },
  UNPROCESSABLE: { status: 422, retry: false },
  RATE_LIMITED: { status: 429, retry: true },
  CANCELLED: { status: 499, retry: false },
  INTERNAL: { status: 500, retry: false },
  /** Nothing will make it work but another configuration. */
  NOT_IMPLEMENTED: { status: 501, retry: false },
  UNAVAILABLE: { status: 503, retry: true },
  TIMEOUT: { status: 504, retry: true },
  INSUFFICIENT_STORAGE: { status: 507, retry: true },
} as const satisfies Record<string, { readonly status: number; readonly retry: boolean }>;

export type ErrorCode = keyof typeof errorCodes;

/** Facts about an error that are safe to show to the caller: a field path, a limit, a remedy. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * An expected failure. Its message and details may be shown to callers; its cause never is.
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

  get retry(): boolean {
    return errorCodes[this.code].retry;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** What a cause says, for the log only: it can hold internals. */
export function describeCause(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
}

/** An unknown failure becomes INTERNAL and says nothing of itself; the cause is kept for the log. */
export function toAppError(error: unknown): AppError {
  return isAppError(error)
    ? error
    : new AppError('INTERNAL', 'Something failed inside the platform.', {}, error);
}
