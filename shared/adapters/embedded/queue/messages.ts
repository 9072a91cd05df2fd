import type { JsonValue } from '../../../core/json/json.ts';
import type { QueueSource, ReceivedMessage } from '../../../platform/storage/queue.ts';
import type { MessageProperties } from '../../../platform/storage/queue-rules.ts';
import type { MessageRow } from './message-table.ts';

/** Sequence numbers increase within a file. */
export interface SequencedMessage extends ReceivedMessage {
  readonly sequenceNumber: number;
}

/** A dead letter that is not locked. */
export type DeadLetter = Omit<SequencedMessage, 'lockToken' | 'lockedUntil'>;

export function describeMessage(row: MessageRow, source: QueueSource): DeadLetter {
  return {
    id: row.id,
    body: JSON.parse(row.body) as JsonValue,
    ...(row.subject !== null && { subject: row.subject }),
    ...(row.correlationId !== null && { correlationId: row.correlationId }),
    properties: JSON.parse(row.properties) as MessageProperties,
    deliveryCount: row.deliveryCount,
    enqueuedAt: row.enqueuedAt,
    sequenceNumber: row.seq,
    source,
    ...(row.deadReason !== null && { deadLetterReason: row.deadReason }),
    ...(row.deadDescription !== null && { deadLetterDescription: row.deadDescription }),
  };
}
