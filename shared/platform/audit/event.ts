import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { BatchOperation } from '../storage/documents.ts';
import { toBody } from '../storage/page.ts';

/** One change of state: who changed what, when. */
export interface AuditEvent {
  /** Sorts by time. */
  readonly eventId: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** The caller's name; `platform` for timers. */
  readonly by: string;
  /** `<subject kind>.<verb in the past tense>`: `alias.moved`. */
  readonly action: string;
  readonly subject: AuditSubject;
  /** The changed members before and after; null when the subject did not exist before, or does not after. */
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** The object that an event is about, and is listed by. */
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
   * Milliseconds since the Unix epoch; default: now. Writers whose events must keep their order (which version did an
   * alias point at?) pass a time later than that of the last event, because the clocks of machines differ.
   */
  readonly at?: number;
};

/**
 * Adds the time and the id to an entry.
 *
 * @param order orders events of one millisecond, up to 999,999
 */
export function toAuditEvent(
  entry: AuditEntry,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  order = 0,
): AuditEvent {
  const { at = clock.now() } = entry;
  return { eventId: `${toEventIdBound(at)}-${String(order).padStart(6, '0')}-${ids.uuid()}`, ...entry, at };
}

/**
 * The prefix of event ids by time: the ids of that time sort after it, those of earlier times before it.
 *
 * @param at milliseconds since the Unix epoch, not negative
 */
export function toEventIdBound(at: number): string {
  return String(at).padStart(15, '0');
}

/** The operation that stores an event in the batch of its change, so that both are written atomically. */
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
