import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Pace } from '../storage/optimistic.ts';
import type { BatchOperation } from '../storage/documents.ts';
import { toBody } from '../storage/page.ts';

/** What happened to what: `model.alias.moved`. One per change of state. */
export interface AuditEvent {
  /** Sorts by time. */
  readonly eventId: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Who: the caller's name, or `platform` for timers. */
  readonly by: string;
  /** What, in the past: `<subject kind>.<verb>`. */
  readonly action: string;
  readonly subject: AuditSubject;
  /** What the change replaced, and with what; only the members that changed. Null: was not, or is no more, there. */
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** What an event is about, and what it is listed under. */
export type AuditSubject =
  | { readonly kind: 'experiment'; readonly experimentId: string }
  | { readonly kind: 'run'; readonly experimentId: string; readonly runId: string }
  | { readonly kind: 'loggedModel'; readonly experimentId: string; readonly modelId: string }
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'modelVersion'; readonly model: string; readonly version: number }
  | { readonly kind: 'alias'; readonly model: string; readonly alias: string }
  | { readonly kind: 'webhook'; readonly webhookId: string };

export type AuditEntry = Pick<AuditEvent, 'by' | 'action' | 'subject' | 'before' | 'after'>;

/** Gives an entry its time and id. */
export function toAuditEvent(entry: AuditEntry, { clock, ids }: Pace): AuditEvent {
  const at = clock.now();
  return { eventId: `${String(at).padStart(15, '0')}-${ids.uuid()}`, at, ...entry };
}

/**
 * The operation that records an event in the very batch that makes its change, in the same container and partition:
 * either both happened, or neither.
 */
export function auditOperation(event: AuditEvent): BatchOperation {
  const { before, after, ...head } = event;
  const body: JsonObject = toBody({ kind: 'event', event: head, detail: { before, after } });
  return { kind: 'create', id: `event-${event.eventId}`, body };
}
