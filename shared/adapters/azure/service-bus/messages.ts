import type { ServiceBusMessage, ServiceBusReceivedMessage } from '@azure/service-bus';
import type { JsonValue } from '../../../core/json/json.ts';
import type { QueueSource, ReceivedMessage } from '../../../platform/storage/queue.ts';
import type { EncodedMessage, MessageProperties } from '../../../platform/storage/queue-rules.ts';

export function toServiceBusMessage(message: EncodedMessage): ServiceBusMessage {
  const { id, body, subject, correlationId, properties, scheduledFor } = message;
  return {
    messageId: id,
    // Pass bytes, so that the SDK does not serialize the JSON again.
    body: Buffer.from(body, 'utf8'),
    contentType: 'application/json',
    ...(subject !== undefined && { subject }),
    ...(correlationId !== undefined && { correlationId }),
    applicationProperties: { ...properties },
    ...(scheduledFor !== undefined && { scheduledEnqueueTimeUtc: new Date(scheduledFor) }),
  };
}

/** Never throws, also for messages of other senders, such as Event Grid. */
export function toReceivedMessage(message: ServiceBusReceivedMessage, source: QueueSource): ReceivedMessage {
  const { subject, correlationId, deadLetterReason, deadLetterErrorDescription } = message;
  return {
    id: String(message.messageId ?? message.sequenceNumber ?? ''),
    body: decodeBody(message.body),
    ...(subject !== undefined && { subject }),
    ...(correlationId !== undefined && { correlationId: String(correlationId) }),
    properties: decodeProperties(message.applicationProperties ?? {}, source),
    // AMQP counts failed deliveries. Unlike other SDKs, the JavaScript SDK does not add the current one.
    deliveryCount: (message.deliveryCount ?? 0) + 1,
    enqueuedAt: message.enqueuedTimeUtc?.getTime() ?? 0,
    lockedUntil: message.lockedUntilUtc?.getTime() ?? 0,
    source,
    lockToken: message.lockToken ?? '',
    ...(deadLetterReason !== undefined && { deadLetterReason }),
    ...(deadLetterErrorDescription !== undefined && { deadLetterDescription: deadLetterErrorDescription }),
  };
}

/** Returns a body that is not JSON as text, so that the consumer can dead-letter it with a reason. */
function decodeBody(body: unknown): JsonValue {
  const text = readText(body);
  if (text === undefined) return JSON.parse(JSON.stringify(body ?? null)) as JsonValue;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function readText(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  const isSections = Array.isArray(body) && body.every((part) => part instanceof Uint8Array);
  return isSections ? Buffer.concat(body).toString('utf8') : undefined;
}

/** Removes the properties that Service Bus adds to dead letters. */
function decodeProperties(
  properties: Readonly<Record<string, unknown>>,
  source: QueueSource,
): MessageProperties {
  const reserved = source.deadLetter === true ? ['DeadLetterReason', 'DeadLetterErrorDescription'] : [];
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name, value]) => value !== null && value !== undefined && !reserved.includes(name))
      .map(([name, value]) => [
        name,
        typeof value === 'number' || typeof value === 'boolean' ? value : String(value),
      ]),
  );
}
