import { AppError, isAppError, type ErrorCode } from '../../../core/errors.ts';

/**
 * The codes of `ServiceBusError`, and of the `MessagingError` beneath it that some paths of the SDK let through,
 * and Node's own for the socket.
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
  NOT_FOUND: 'There is no such queue, topic or subscription.',
  PRECONDITION_FAILED: 'The lock on the message was lost.',
  PAYLOAD_TOO_LARGE: 'The messages do not fit into one send.',
  RATE_LIMITED: 'Service Bus is busy.',
  INSUFFICIENT_STORAGE: 'The Service Bus entity is full.',
  TIMEOUT: 'Service Bus did not answer in time.',
  INVALID_ARGUMENT: 'Service Bus refused the request.',
};

/** The SDK has no code for a message whose settlement it has already seen. */
const alreadySettled = 'has either been deleted or already settled';

/**
 * What went wrong, in our terms. What is not known is UNAVAILABLE: it comes from the network, from
 * authorization or from the service, and so must be retried, never taken for an answer.
 */
export function translateServiceBusError(error: unknown, entity: string): AppError {
  if (isAppError(error)) return error;
  // Every attempt's error: the last one says how things stand.
  if (error instanceof AggregateError && error.errors.length > 0)
    return translateServiceBusError(error.errors.at(-1), entity);
  const code = classify(error);
  const message = messages[code] ?? 'Service Bus cannot be reached.';
  return new AppError(code, message, { entity }, error);
}

/** The service did not answer within the time of a call. */
export function serviceTooSlow(entity: string): AppError {
  return new AppError('TIMEOUT', 'Service Bus did not answer in time.', { entity });
}

function classify(error: unknown): ErrorCode {
  if (!(error instanceof Error)) return 'UNAVAILABLE';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'TIMEOUT';
  if (error.message.includes(alreadySettled)) return 'PRECONDITION_FAILED';
  // The SDK raises these itself, for arguments that our rules should have refused.
  if (error instanceof TypeError || error instanceof RangeError) return 'INTERNAL';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // A code that ServiceBusError does not have stands before its message.
  const name = code === 'GeneralError' ? (/^\w+/.exec(error.message)?.[0] ?? '') : code;
  return codes[name] ?? 'UNAVAILABLE';
}
