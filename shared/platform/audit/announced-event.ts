import { z } from 'zod';
import { metadataContainers } from '../../core/names.ts';
import type { OutgoingMessage } from '../storage/queue.ts';
import { toBody } from '../storage/page.ts';
import type { AuditEvent, AuditSubject } from './event.ts';

/**
 * The kinds of subject whose events are also told to the topic `events`. Runs and experiments are not: nobody listens,
 * and there are thousands of times more of them.
 */
const announcedKinds: ReadonlySet<AuditSubject['kind']> = new Set(['model', 'modelVersion', 'alias']);

/** Where those subjects live, and so what the outbox must be looked for in. */
export const announcingContainers = [metadataContainers.registry] as const;

export function isAnnounced(event: Pick<AuditEvent, 'subject'>): boolean {
  return announcedKinds.has(event.subject.kind);
}

/** Where an event is kept. Small enough for a message, whatever the change weighs. */
export const eventPlaceSchema = z.object({
  container: z.string(),
  partition: z.string(),
  eventId: z.string().min(1),
});
export type EventPlace = z.infer<typeof eventPlaceSchema>;

/** What the topic carries: that something happened, and where to read it. */
export const announcementSchema = eventPlaceSchema.extend({
  type: z.literal('audit.event'),
  action: z.string(),
  at: z.number(),
});
export type Announcement = z.infer<typeof announcementSchema>;

export function toAnnouncement(container: string, partition: string, event: AuditEvent): Announcement {
  const { eventId, action, at } = event;
  return { type: 'audit.event', container, partition, eventId, action, at };
}

/** The same event is the same message, however often it is sent. */
export function toMessage(announcement: Announcement): OutgoingMessage {
  return { id: announcement.eventId, subject: announcement.action, body: toBody(announcement) };
}
