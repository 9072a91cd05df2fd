import type { z } from 'zod';
import { missingValue } from '../wording/parts.ts';

const maxQuotedLength = 250;

/** Describes an invalid message as MLflow's server does: clients and their tests match these sentences. */
export function describeIssue(issue: z.core.$ZodIssue, message: unknown, source?: string): string {
  const name = nameOf(issue.path);
  const value = valueAt(message, issue.path);
  if (value === undefined || (value === '' && issue.code === 'too_small')) return missingValue(name);
  const quoted = shorten(JSON.stringify(asWritten(value, issue.path, source)));
  return `Invalid value ${quoted} for parameter '${name}' supplied: ${issue.message}`;
}

/** `['metrics', 0, 'timestamp']` → `metrics[0].timestamp`. */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function valueAt(message: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inside, key) =>
      inside !== null && typeof inside === 'object' && Object.hasOwn(inside, key)
        ? (inside as Record<PropertyKey, unknown>)[key]
        : undefined,
    message,
  );
}

/** Since Node 21 JSON can be parsed and written with the source text of numbers, so that `9.0` stays `9.0`. */
interface SourceJson {
  parse(
    text: string,
    revive: (key: string, value: unknown, context?: { source?: string }) => unknown,
  ): unknown;
  rawJSON?(text: string): unknown;
}

function asWritten(value: unknown, path: readonly PropertyKey[], source: string | undefined): unknown {
  const json = JSON as SourceJson;
  if (typeof value !== 'number' || source === undefined || !json.rawJSON) return value;
  const written = json.parse(source, (_key, member, context) =>
    typeof member === 'number' && context?.source !== undefined ? json.rawJSON?.(context.source) : member,
  );
  return valueAt(written, path) ?? value;
}

function shorten(text: string): string {
  return text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}...` : text;
}
