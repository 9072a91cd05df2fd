import { type AppError, type ErrorCode } from '../../core/errors.ts';
import { routeErrors } from '../http/route-table.ts';
import type { Protocol } from '../http/route.ts';
import { toMlflowMessage } from './wording/wordings.ts';

/**
 * MLflow's error format: `{error_code, message}`. Its clients raise on any status but 200, retry 408, 429 and 5xx for
 * minutes, and fall back to older endpoints on ENDPOINT_NOT_FOUND only.
 *
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/exceptions.py (codes and statuses)
 */
export const mlflowProtocol: Protocol = {
  name: 'mlflow',
  toErrorReply: (error, correlationId) => {
    const { status, code } = toMlflowError(error);
    const sentence = toMlflowMessage(error);
    const message = status >= 500 ? `${sentence} (correlation id ${correlationId})` : sentence;
    return { status, contentType: 'application/json', body: JSON.stringify({ error_code: code, message }) };
  },
};

const codes = {
  INVALID_ARGUMENT: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  UNAUTHENTICATED: { status: 401, code: 'UNAUTHENTICATED' },
  PERMISSION_DENIED: { status: 403, code: 'PERMISSION_DENIED' },
  NOT_FOUND: { status: 404, code: 'RESOURCE_DOES_NOT_EXIST' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'ENDPOINT_NOT_FOUND' },
  REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_LIMIT_EXCEEDED' },
  ALREADY_EXISTS: { status: 400, code: 'RESOURCE_ALREADY_EXISTS' },
  SUPERSEDED: { status: 409, code: 'ABORTED' },
  PRECONDITION_FAILED: { status: 409, code: 'RESOURCE_CONFLICT' },
  PAYLOAD_TOO_LARGE: { status: 413, code: 'BAD_REQUEST' },
  UNSUPPORTED_MEDIA_TYPE: { status: 400, code: 'BAD_REQUEST' },
  UNPROCESSABLE: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  RATE_LIMITED: { status: 429, code: 'REQUEST_LIMIT_EXCEEDED' },
  CANCELLED: { status: 499, code: 'CANCELLED' },
  INTERNAL: { status: 500, code: 'INTERNAL_ERROR' },
  NOT_IMPLEMENTED: { status: 501, code: 'NOT_IMPLEMENTED' },
  UNAVAILABLE: { status: 503, code: 'TEMPORARILY_UNAVAILABLE' },
  TIMEOUT: { status: 504, code: 'DEADLINE_EXCEEDED' },
  // A status that clients do not retry: their seven retries do not empty a full disk.
  INSUFFICIENT_STORAGE: { status: 507, code: 'RESOURCE_EXHAUSTED' },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly code: string }>;

/** A missing route is a missing operation, not a missing resource. */
function toMlflowError(error: AppError): { readonly status: number; readonly code: string } {
  if (routeErrors.routeMissing.is(error)) return { status: 404, code: 'ENDPOINT_NOT_FOUND' };
  return codes[error.code];
}
