import type { ErrorCode } from '../../../shared/core/errors.ts';

export interface DurableHttpRequest {
  readonly method: string;
  /** Below `/runtime/webhooks/durabletask`, with or without a leading slash. Percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  /** The front has already checked a master or system key. */
  readonly isTrusted?: boolean;
}

export interface DurableHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): DurableHttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function emptyResponse(status: number): DurableHttpResponse {
  return { status, headers: {}, body: '' };
}

/** The body of Web API's HttpError. */
export function errorResponse(status: number, message: string): DurableHttpResponse {
  return jsonResponse(status, { Message: message });
}

/** The extension's statuses where they differ from the platform's. */
export const statusOfError: Partial<Readonly<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  ALREADY_EXISTS: 409,
};

/** Compares query names without case, as .NET does. */
export function queryValue(query: URLSearchParams, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const [key, value] of query) if (key.toLowerCase() === wanted) return value;
  return undefined;
}

export function queryFlag(query: URLSearchParams, name: string): boolean | undefined {
  const value = queryValue(query, name)?.trim().toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** Milliseconds since the epoch; an invalid time counts as absent, as in the extension. */
export function queryTime(query: URLSearchParams, name: string): number | undefined {
  const timeMs = Date.parse(queryValue(query, name) ?? '');
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const text = queryValue(query, name) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export function headerValue(request: DurableHttpRequest, name: string): string | undefined {
  const value = request.headers?.[name];
  return typeof value === 'string' ? value : value?.[0];
}
