import { AppError, type ErrorCode, type ErrorDetails, toAppError } from './errors.ts';

/** An error in transit between threads or processes. */
export interface Thrown {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  /** For the log only. */
  readonly stack: string;
}

export function packError(error: unknown): Thrown {
  const { code, message, details } = toAppError(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // Keep only what structured clones support.
  return { code, message, details: JSON.parse(JSON.stringify(details)) as ErrorDetails, stack };
}

export function unpackError({ code, message, details, stack }: Thrown): AppError {
  return new AppError(code, message, details, new Error(stack));
}
