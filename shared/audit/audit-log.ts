import type { JsonObject } from '../core/json.ts';
import type { MetadataStore } from '../storage/documents.ts';
import type { EventPlace } from './announced-event.ts';
import type { AuditEvent } from './event.ts';

/** An event as `auditOperation` stores it. */
export interface EventBody extends JsonObject {
  readonly kind: 'event';
  readonly event: Omit<AuditEvent, 'before' | 'after'> & JsonObject;
  readonly detail: Pick<AuditEvent, 'before' | 'after'> & JsonObject;
}

export function toEvent(body: EventBody): AuditEvent {
  return { ...body.event, ...body.detail };
}

/** @returns undefined when there is no such event */
export async function findEvent(store: MetadataStore, place: EventPlace): Promise<AuditEvent | undefined> {
  const { container, partition, eventId } = place;
  const stored = await store.get<EventBody>({ container, partition, id: `event-${eventId}` });
  return stored && toEvent(stored.body);
}
