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

/** When the service does not say how long to wait. */
const defaultRetryAfterMs = 1_000;
/** A write that met another one inside the service (449): done again at once, it usually succeeds. */
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
 * An error of the service, the SDK or the network as the port names it. Only a plain 404 is NOT_FOUND: one with a
 * substatus tells of a missing container or of a replica that lags, which is an outage.
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
    return new AppError('UNAVAILABLE', 'The metadata store cannot be reached.', {}, thrown);
  // The SDK stumbles over an answer without a body, or one that is not JSON, such as a proxy's error page.
  if (error.name === 'SyntaxError' || error.name === 'TypeError')
    return new AppError('UNAVAILABLE', 'The metadata store gave an answer that makes no sense.', {}, thrown);
  if (/Authentication|Credential/.test(error.name ?? ''))
    return new AppError('UNAVAILABLE', 'No credential for the metadata store can be had.', {}, thrown);
  return new AppError('INTERNAL', 'The metadata store failed.', {}, thrown);
}

/** The error of a status, also of one operation within a batch. */
export function translateStatus(status: number, error: ServiceError = {}, cause: unknown = error): AppError {
  const { substatus = 0 } = error;
  switch (status) {
    case 400:
      return new AppError('INTERNAL', 'The metadata store refused a request of ours.', {}, cause);
    case 401:
      return new AppError('UNAVAILABLE', 'The metadata store refused our credential.', { status }, cause);
    case 403:
      // 1014: the 20 GB of a logical partition are full.
      return substatus === 1014
        ? new AppError('INSUFFICIENT_STORAGE', 'The partition is full.', {}, cause)
        : new AppError('UNAVAILABLE', 'The metadata store refused our credential.', { status }, cause);
    case 404:
      return substatus === 0
        ? new AppError('NOT_FOUND', 'There is no such document.', {}, cause)
        : new AppError('UNAVAILABLE', 'A container is missing or cannot be read now.', { substatus }, cause);
    case 408:
      return new AppError('TIMEOUT', 'The metadata store did not answer in time.', {}, cause);
    case 409:
      return new AppError('ALREADY_EXISTS', 'A document with this id is already there.', {}, cause);
    case 412:
      return new AppError('PRECONDITION_FAILED', 'The document has changed since it was read.', {}, cause);
    case 413:
      return new AppError('INVALID_ARGUMENT', 'The document is larger than 2 MB.', {}, cause);
    case 429:
      return rateLimited(error.retryAfterInMs ?? defaultRetryAfterMs, cause);
    case 449:
      return rateLimited(error.retryAfterInMs ?? conflictRetryAfterMs, cause);
    default:
      return status === 410 || status >= 500
        ? new AppError('UNAVAILABLE', 'The metadata store is not available.', { status }, cause)
        : new AppError('INTERNAL', 'The metadata store failed.', { status }, cause);
  }
}

/** The SDK hides what went wrong with a batch in the cause of an error that has nothing but a message. */
function unwrap(thrown: unknown): ServiceError {
  const error = (thrown ?? {}) as ServiceError;
  const { cause } = error;
  return error.code === undefined && error.name === 'Error' && cause instanceof Error ? unwrap(cause) : error;
}
