import { RestError } from '@azure/storage-blob';

import { AppError, isAppError } from '../../../core/errors.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { blobErrors } from '../../../platform/storage/blob-errors.ts';
import { parseRetryAfterMs } from '../../../core/retry-after.ts';
import { cancelled } from '../../../core/async/cancelled.ts';
import { withTimeout } from '../../../core/async/with-timeout.ts';

const codesByServiceCode: Readonly<Record<string, ErrorCode>> = {
  ResourceNotFound: 'NOT_FOUND',
  BlobAlreadyExists: 'ALREADY_EXISTS',
  ConditionNotMet: 'PRECONDITION_FAILED',
  InvalidRange: 'INVALID_ARGUMENT',
  ServerBusy: 'RATE_LIMITED',
  OperationTimedOut: 'TIMEOUT',
  InsufficientStorage: 'INSUFFICIENT_STORAGE',
  RequestBodyTooLarge: 'PAYLOAD_TOO_LARGE',
  BlockCountExceedsLimit: 'PAYLOAD_TOO_LARGE',
  ContainerBeingDeleted: 'UNAVAILABLE',
};

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  408: 'TIMEOUT',
  409: 'PRECONDITION_FAILED',
  412: 'PRECONDITION_FAILED',
  413: 'PAYLOAD_TOO_LARGE',
  416: 'INVALID_ARGUMENT',
  429: 'RATE_LIMITED',
  504: 'TIMEOUT',
  507: 'INSUFFICIENT_STORAGE',
};

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  NOT_FOUND: 'does not exist',
  ALREADY_EXISTS: 'already exists',
  PRECONDITION_FAILED: 'has changed, or another client holds its lease',
  INVALID_ARGUMENT: 'was rejected by Blob storage',
  RATE_LIMITED: 'must wait: Blob storage is busy',
  TIMEOUT: 'timed out in Blob storage',
  INSUFFICIENT_STORAGE: 'does not fit: Blob storage is full',
  PAYLOAD_TOO_LARGE: 'is larger than Blob storage accepts',
  UNAVAILABLE: 'is unavailable: Blob storage does not answer',
};

/**
 * Translates an error of the SDK. A 404 without the service's error-code header comes from a proxy, so it is an outage and
 * not NOT_FOUND. Rejected credentials are an outage too: new role assignments take minutes to apply, so a retry can help.
 *
 * @param subject the subject of the message: `Blob "raw/a.csv"`
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
export function translateBlobError(error: unknown, subject: string): AppError {
  if (isAppError(error)) return error;
  const serviceCode = readServiceCode(error);
  if (serviceCode === 'BlobNotFound') return blobErrors.blobMissing({ subject }, error);
  if (serviceCode === 'ContainerNotFound') return blobErrors.containerMissing({ subject }, error);
  const code = chooseCode(error, serviceCode);
  const phrase = messages[code];
  const retryAfterMs = parseRetryAfterMs(readHeader(error, 'retry-after'));
  return new AppError(
    code,
    phrase === undefined ? 'Blob storage failed.' : `${subject} ${phrase}.`,
    {
      ...(serviceCode === undefined ? {} : { reason: serviceCode }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
    error,
  );
}

/** Whether the service answered with this code. */
export function hasServiceCode(error: unknown, code: string): error is AppError {
  return isAppError(error) && readServiceCode(error.cause) === code;
}

function chooseCode(error: unknown, serviceCode: string | undefined): ErrorCode {
  if (!(error instanceof RestError)) return isCredentialError(error) ? 'UNAVAILABLE' : 'INTERNAL';
  const { statusCode } = error;
  if (statusCode === undefined) return error.code === 'ETIMEDOUT' ? 'TIMEOUT' : 'UNAVAILABLE';
  if (serviceCode === undefined && statusCode === 404) return 'UNAVAILABLE';
  if (serviceCode?.startsWith('Lease') === true) return 'PRECONDITION_FAILED';
  const known = serviceCode === undefined ? undefined : codesByServiceCode[serviceCode];
  if (known !== undefined) return known;
  if (statusCode === 401 || statusCode === 403) return 'UNAVAILABLE';
  return codesByStatus[statusCode] ?? (statusCode >= 500 ? 'UNAVAILABLE' : 'INTERNAL');
}

/** The service's code, such as `BlobNotFound`. Read from the header, because answers to HEAD have no body. */
export function readServiceCode(error: unknown): string | undefined {
  return readHeader(error, 'x-ms-error-code');
}

function readHeader(error: unknown, name: string): string | undefined {
  return error instanceof RestError ? error.response?.headers.get(name) : undefined;
}

/** The errors of `@azure/identity` when it gets no token. */
function isCredentialError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(?:CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError)$/.test(
      error.name,
    )
  );
}

export interface CallBounds {
  /** See {@link translateBlobError}. */
  readonly subject: string;
  /** Limits all attempts together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one call of the SDK with a timeout and translates its errors.
 *
 * @throws CANCELLED when the caller's signal fired; TIMEOUT; the errors of {@link translateBlobError}
 */
export async function callBlobService<T>(
  bounds: CallBounds,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { subject, timeoutMs, signal } = bounds;
  const toError = () => new AppError('TIMEOUT', `${subject} ${messages.TIMEOUT}.`);
  try {
    return await withTimeout({ timeoutMs, signal, toError }, call);
  } catch (error) {
    if (signal?.aborted) throw cancelled('The read', error);
    throw translateBlobError(error, subject);
  }
}
