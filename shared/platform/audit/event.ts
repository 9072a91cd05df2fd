import type { JsonObject, JsonValue } from '../../core/json.ts';
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
  | { readonly kind: 'webhook'; readonly webhookId: string }
  | { readonly kind: 'dataset'; readonly dataset: string };

export type AuditEntry = Pick<AuditEvent, 'by' | 'action' | 'subject' | 'before' | 'after'> & {
  /**
   * The event's time, in milliseconds since the Unix epoch; now, when left out. Where the order of changes decides
   * (which version did an alias lead to?), the writer keeps the last one's time and gives a later one: the clocks of
   * two machines differ.
   */
  readonly at?: number;
};

/**
 * Gives an entry its time and id.
 *
 * @param order tells events of one millisecond apart: the later has the higher, up to 999,999
 */
export function toAuditEvent(entry: AuditEntry, { clock, ids }: Pace, order = 0): AuditEvent {
  const { at = clock.now() } = entry;
  return { eventId: `${toEventIdBound(at)}-${String(order).padStart(6, '0')}-${ids.uuid()}`, ...entry, at };
}

/**
 * What the ids of events begin with; those of a time sort after it, and those of earlier times before it.
 *
 * @param at milliseconds since the Unix epoch, not negative
 */
export function toEventIdBound(at: number): string {
  return String(at).padStart(15, '0');
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

/** An event as `auditOperation` stores it. */
export interface EventBody extends JsonObject {
  readonly kind: 'event';
  readonly event: Omit<AuditEvent, 'before' | 'after'> & JsonObject;
  readonly detail: Pick<AuditEvent, 'before' | 'after'> & JsonObject;
}
