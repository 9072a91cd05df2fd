import { AppError, isAppError, type ErrorCode } from '../../../core/errors.ts';

/**
 * The codes of `ServiceBusError`, and of the underlying `MessagingError`, which some paths of the SDK throw.
 *
 * @see https://learn.microsoft.com/javascript/api/@azure/service-bus/servicebuserror
 */
const codes: Readonly<Record<string, ErrorCode>> = {
  MessagingEntityNotFound: 'NOT_FOUND',
  MessagingEntityNotFoundError: 'NOT_FOUND',
  MessageLockLost: 'PRECONDITION_FAILED',
  MessageLockLostError: 'PRECONDITION_FAILED',
  MessageNotFound: 'PRECONDITION_FAILED',
  MessageNotFoundError: 'PRECONDITION_FAILED',
  MessageSizeExceeded: 'PAYLOAD_TOO_LARGE',
  MessageTooLargeError: 'PAYLOAD_TOO_LARGE',
  ServiceBusy: 'RATE_LIMITED',
  ServerBusyError: 'RATE_LIMITED',
  QuotaExceeded: 'INSUFFICIENT_STORAGE',
  QuotaExceededError: 'INSUFFICIENT_STORAGE',
  ServiceTimeout: 'TIMEOUT',
  OperationTimeoutError: 'TIMEOUT',
  ArgumentError: 'INVALID_ARGUMENT',
  ArgumentOutOfRangeError: 'INVALID_ARGUMENT',
};

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  NOT_FOUND: 'The queue, topic or subscription does not exist.',
  PRECONDITION_FAILED: 'The lock on the message was lost.',
  PAYLOAD_TOO_LARGE: 'The messages do not fit into one send.',
  RATE_LIMITED: 'Service Bus is busy.',
  INSUFFICIENT_STORAGE: 'The Service Bus entity is full.',
  TIMEOUT: 'Service Bus did not answer in time.',
  INVALID_ARGUMENT: 'Service Bus rejected the request.',
};

/** The SDK has no code for a message that is already settled. */
const alreadySettled = 'has either been deleted or already settled';

/**
 * Translates an error of the SDK. Unknown errors are UNAVAILABLE, because they come from the network, from authorization or
 * from the service, and a retry can help.
 */
export function translateServiceBusError(error: unknown, entity: string): AppError {
  if (isAppError(error)) return error;
  // One error per attempt; the last is the most recent.
  if (error instanceof AggregateError && error.errors.length > 0)
    return translateServiceBusError(error.errors.at(-1), entity);
  const code = classify(error);
  const message = messages[code] ?? 'Service Bus is unreachable.';
  return new AppError(code, message, { entity }, error);
}

/** The error of a call that timed out. */
export function serviceTooSlow(entity: string): AppError {
  return new AppError('TIMEOUT', 'Service Bus did not answer in time.', { entity });
}

function classify(error: unknown): ErrorCode {
  if (!(error instanceof Error)) return 'UNAVAILABLE';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'TIMEOUT';
  if (error.message.includes(alreadySettled)) return 'PRECONDITION_FAILED';
  // The SDK throws these for arguments that our own checks should have rejected.
  if (error instanceof TypeError || error instanceof RangeError) return 'INTERNAL';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // Codes that ServiceBusError does not know are at the start of its message.
  const name = code === 'GeneralError' ? (/^\w+/.exec(error.message)?.[0] ?? '') : code;
  return codes[name] ?? 'UNAVAILABLE';
}
