import { AppError, isAppError } from '../../../core/errors.ts';
import { rateLimited } from '../../../platform/storage/document-rules.ts';

/** What the SDK, its HTTP pipeline and its credentials put on their errors. */
interface ServiceError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: number | string;
  readonly substatus?: number;
  readonly retryAfterInMs?: number;
  readonly cause?: unknown;
}

/** Used when the service does not say how long to wait. */
const defaultRetryAfterMs = 1_000;
/** A write that collided with another inside the service (449) usually succeeds when retried at once. */
const conflictRetryAfterMs = 20;

/** Network failures as Node and the SDK's pipeline name them. */
const networkCodes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'REQUEST_SEND_ERROR',
]);

/**
 * Translates an error of the service, the SDK or the network. Only a plain 404 is NOT_FOUND: one with a substatus
 * means a missing container or a lagging replica, which is an outage.
 *
 * @see https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
 */
export function translateCosmosError(thrown: unknown): AppError {
  if (isAppError(thrown)) return thrown;
  const error = unwrap(thrown);
  if (typeof error.code === 'number') return translateStatus(error.code, error, thrown);
  if (error.code === 'TimeoutError' || error.code === 'ETIMEDOUT' || error.name === 'AbortError')
    return new AppError('TIMEOUT', 'The metadata store did not answer in time.', {}, thrown);
  if (networkCodes.has(error.code) || error.name === 'RestError')
    return new AppError('UNAVAILABLE', 'The metadata store is unreachable.', {}, thrown);
  // The SDK cannot read an answer without a body, or one that is not JSON, such as a proxy's error page.
  if (error.name === 'SyntaxError' || error.name === 'TypeError')
    return new AppError('UNAVAILABLE', 'The metadata store returned a malformed answer.', {}, thrown);
  if (/Authentication|Credential/.test(error.name ?? ''))
    return new AppError('UNAVAILABLE', 'Could not obtain a credential for the metadata store.', {}, thrown);
  return new AppError('INTERNAL', 'The metadata store failed.', {}, thrown);
}

/** The error of a status, also of one operation within a batch. */
export function translateStatus(status: number, error: ServiceError = {}, cause: unknown = error): AppError {
  const { substatus = 0, retryAfterInMs } = error;
  switch (status) {
    case 400:
      return new AppError('INTERNAL', 'The metadata store rejected the request.', {}, cause);
    case 401:
      return new AppError('UNAVAILABLE', 'The metadata store rejected the credential.', { status }, cause);
    case 403:
      // 1014: the 20 GB of a logical partition are full.
      return substatus === 1014
        ? new AppError('INSUFFICIENT_STORAGE', 'The partition is full.', {}, cause)
        : new AppError('UNAVAILABLE', 'The metadata store rejected the credential.', { status }, cause);
    case 404:
      return substatus === 0
        ? new AppError('NOT_FOUND', 'The document does not exist.', {}, cause)
        : new AppError(
            'UNAVAILABLE',
            'A container is missing or temporarily unreadable.',
            { substatus },
            cause,
          );
    case 408:
      return new AppError('TIMEOUT', 'The metadata store did not answer in time.', {}, cause);
    case 409:
      return new AppError('ALREADY_EXISTS', 'A document with this id already exists.', {}, cause);
    case 412:
      return new AppError('PRECONDITION_FAILED', 'The document has changed since it was read.', {}, cause);
    case 413:
      return new AppError('INVALID_ARGUMENT', 'The document is larger than 2 MB.', {}, cause);
    case 429:
      return rateLimited(retryAfterInMs ?? defaultRetryAfterMs, cause);
    case 449:
      return rateLimited(retryAfterInMs ?? conflictRetryAfterMs, cause);
    default:
      return status === 410 || status >= 500
        ? new AppError(
            'UNAVAILABLE',
            'The metadata store is not available.',
            { status, ...(retryAfterInMs === undefined ? {} : { retryAfterMs: retryAfterInMs }) },
            cause,
          )
        : new AppError('INTERNAL', 'The metadata store failed.', { status }, cause);
  }
}

/** The SDK wraps a batch's error in one that has only a message. */
function unwrap(thrown: unknown): ServiceError {
  const error = (thrown ?? {}) as ServiceError;
  const { cause } = error;
  return error.code === undefined && error.name === 'Error' && cause instanceof Error ? unwrap(cause) : error;
}
