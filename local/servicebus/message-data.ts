import type { SequencedMessage } from '../../shared/adapters/embedded/queue/messages.ts';
import { jsonData, type TypedData } from '../worker/typed-data.ts';

/** A message's body as the trigger sends it: the message's text, which is always JSON here. */
export function toMessageData(message: SequencedMessage): TypedData {
  return { string: JSON.stringify(message.body) };
}

export function toBatchData(messages: readonly SequencedMessage[]): TypedData {
  return { collectionString: { string: messages.map(({ body }) => JSON.stringify(body)) } };
}

/**
 * The metadata of one message in the host's encodings: texts as text, everything else as JSON. Absent properties are
 * omitted.
 *
 * @see https://github.com/Azure/azure-sdk-for-net ServiceBusTriggerBindingStrategy.AddBindingData
 */
export function toMessageMetadata(message: SequencedMessage): Readonly<Record<string, TypedData>> {
  const { subject, correlationId } = message;
  return {
    MessageId: { string: message.id },
    DeliveryCount: jsonData(message.deliveryCount),
    SequenceNumber: jsonData(message.sequenceNumber),
    LockToken: { string: message.lockToken },
    ContentType: { string: 'application/json' },
    EnqueuedTimeUtc: jsonData(new Date(message.enqueuedAt)),
    EnqueuedTime: jsonData(new Date(message.enqueuedAt)),
    ExpiresAtUtc: jsonData(neverExpires),
    ExpiresAt: jsonData(neverExpires),
    ...(subject !== undefined && { Subject: { string: subject }, Label: { string: subject } }),
    ...(correlationId !== undefined && { CorrelationId: { string: correlationId } }),
    ApplicationProperties: jsonData(message.properties),
    UserProperties: jsonData(message.properties),
  };
}

/** The metadata of a batch: one array per property, in the order of the messages. */
export function toBatchMetadata(messages: readonly SequencedMessage[]): Readonly<Record<string, TypedData>> {
  const texts = (read: (message: SequencedMessage) => string): TypedData => ({
    collectionString: { string: messages.map(read) },
  });
  return {
    MessageIdArray: texts(({ id }) => id),
    DeliveryCountArray: jsonData(messages.map(({ deliveryCount }) => deliveryCount)),
    SequenceNumberArray: {
      collectionSint64: { sint64: messages.map(({ sequenceNumber }) => sequenceNumber) },
    },
    LockTokenArray: texts(({ lockToken }) => lockToken),
    ContentTypeArray: texts(() => 'application/json'),
    EnqueuedTimeUtcArray: jsonData(messages.map(({ enqueuedAt }) => new Date(enqueuedAt))),
    ExpiresAtUtcArray: jsonData(messages.map(() => neverExpires)),
    // Arrays have an entry per message: an absent subject is empty.
    SubjectArray: texts(({ subject }) => subject ?? ''),
    LabelArray: texts(({ subject }) => subject ?? ''),
    CorrelationIdArray: texts(({ correlationId }) => correlationId ?? ''),
    ApplicationPropertiesArray: jsonData(messages.map(({ properties }) => properties)),
    UserPropertiesArray: jsonData(messages.map(({ properties }) => properties)),
  };
}

const neverExpires = '9999-12-31T23:59:59.9999999Z';
