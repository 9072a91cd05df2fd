import { errorCodes, type AppError } from '../../core/errors.ts';
import type { Protocol } from './route.ts';

/**
 * The one shape of an error: RFC 9457 problem details, with our code, the correlation id to quote, and the
 * error's details.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly correlationId: string;
  readonly [detail: string]: unknown;
}

export const problemContentType = 'application/problem+json';

export function toProblem(error: AppError, correlationId: string): Problem {
  return {
    ...error.details,
    type: 'about:blank',
    title: titleOf(error.code),
    status: errorCodes[error.code].status,
    code: error.code,
    detail: error.message,
    correlationId,
  };
}

/** NOT_FOUND → "Not found". */
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The platform's own way. */
export const problems: Protocol = {
  name: 'problem',
  toErrorReply: (error, correlationId) => ({
    status: error.status,
    contentType: problemContentType,
    body: JSON.stringify(toProblem(error, correlationId)),
  }),
};
