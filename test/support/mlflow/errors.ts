import { type ErrorStep, rawBody } from '../../golden/mlflow-errors/script.ts';
import { patienceMs } from '../hang-guard.ts';
import type { ScriptAnswer, Send } from './script.ts';

/** The compared part of an answer: errors by their code and by what clients look for in the message. */
export interface ErrorLine {
  readonly title: string;
  readonly status: number;
  readonly code?: string;
  readonly stem?: string;
  /** Of state that was read back. */
  readonly json?: unknown;
}

/** Sends over HTTP; `rawBody` alone is sent unchanged. An answer that is not JSON is returned as text. */
export function sendTo(url: string): Send {
  return async (method, path, body) => {
    const raw = body?.[rawBody];
    const response = await fetch(`${url}/api/2.0/${path}`, {
      method,
      signal: AbortSignal.timeout(patienceMs),
      ...(body === undefined
        ? {}
        : {
            body: typeof raw === 'string' ? raw : JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
    });
    const text = await response.text();
    return { status: response.status, json: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function toErrorLine(step: ErrorStep, answer: ScriptAnswer): ErrorLine {
  const { title } = step;
  const { status, json } = answer;
  if (status === 200)
    return title.includes(': after ') ? { title, status, json: shorten(json) } : { title, status };
  const { error_code: code, message = '' } = (typeof json === 'object' ? json : {}) as {
    error_code?: string;
    message?: string;
  };
  const stem = /(Missing value for required parameter|for parameter) '[^']*'/.exec(message)?.[0];
  return { title, status, ...(code ? { code } : {}), ...(stem ? { stem } : {}) };
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > 300 ? `${value.slice(0, 10)}… (${value.length} characters)` : value;
  if (Array.isArray(value)) return value.map(shorten);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shorten(member)]));
}
