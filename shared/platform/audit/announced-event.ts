import { z } from 'zod';
import { metadataContainers } from '../../core/names/resources.ts';
import type { OutgoingMessage } from '../storage/queue.ts';
import { toBody } from '../storage/page.ts';
import type { AuditEvent, AuditSubject } from './event.ts';

/**
 * Subjects whose events are announced on the topic `events`. Runs and experiments are not: they have no subscribers, and
 * thousands of times more events.
 */
const announcedKinds: ReadonlySet<AuditSubject['kind']> = new Set(['model', 'modelVersion', 'alias']);

/** The containers of those subjects, which the outbox sweeps. */
export const announcingContainers = [metadataContainers.registry] as const;

export function isAnnounced(event: Pick<AuditEvent, 'subject'>): boolean {
  return announcedKinds.has(event.subject.kind);
}

/** Where an event is stored: small enough for a message, whatever the size of the change. */
export const eventPlaceSchema = z.object({
  container: z.string(),
  partition: z.string(),
  eventId: z.string().min(1),
});
export type EventPlace = z.infer<typeof eventPlaceSchema>;

/** A message of the topic: that something happened, and where to read it. */
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

/** Repeated announcements of an event have the same message id. */
export function toMessage(announcement: Announcement): OutgoingMessage {
  return { id: announcement.eventId, subject: announcement.action, body: toBody(announcement) };
}
