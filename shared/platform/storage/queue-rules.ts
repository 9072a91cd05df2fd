import { AppError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json/json.ts';
import type { OutgoingMessage, QueueSource, ReceivedMessage, ReceiveOptions } from './queue.ts';

/**
 * The checks of every queue adapter, so that a message that Service Bus rejects fails locally with the same error.
 */

/** The size of one `send` with its headers: the limit of Service Bus's standard tier. */
export const maxSendBytes = 256 * 1024;

/** One hour. Wait longer in a loop. */
export const maxWaitMs = 3_600_000;

/** A checked message with its body as JSON text. */
export interface EncodedMessage {
  readonly id: string;
  readonly body: string;
  readonly subject: string | undefined;
  readonly correlationId: string | undefined;
  readonly properties: MessageProperties;
  readonly scheduledFor: number | undefined;
}

export type MessageProperties = Readonly<Record<string, string | number | boolean>>;

/**
 * Checks and encodes one `send`.
 *
 * @throws INVALID_ARGUMENT naming the message's index and field; PAYLOAD_TOO_LARGE over {@link maxSendBytes}.
 */
export function encodeMessages(
  destination: string,
  messages: readonly OutgoingMessage[],
): readonly EncodedMessage[] {
  checkEntityName('destination', destination);
  const encoded = messages.map((message, index) => encodeMessage(message, `messages[${index}]`));
  const sizeBytes = estimateSendBytes(encoded);
  if (sizeBytes > maxSendBytes)
    throw new AppError('PAYLOAD_TOO_LARGE', `The messages for "${destination}" do not fit into one send.`, {
      destination,
      sizeBytes,
      maxSizeBytes: maxSendBytes,
      remedy: 'Send fewer messages at a time, or put the payload into a blob and send its reference.',
    });
  return encoded;
}

/**
 * Estimates the AMQP size of a `send`: an upper bound within about 200 bytes a message. Counts each message with its
 * sections and length prefixes, and the batch envelope, which repeats the headers of the first message.
 */
export function estimateSendBytes(messages: readonly EncodedMessage[]): number {
  const [first] = messages;
  if (first === undefined) return 0;
  const envelope = messages.length === 1 ? 0 : headerBytes(first);
  return messages.reduce(
    (total, message) => total + headerBytes(message) + utf8Bytes(message.body),
    envelope,
  );
}

/** @throws INVALID_ARGUMENT */
export function checkReceive(source: QueueSource, { maxMessages, waitMs }: ReceiveOptions): void {
  if ('queue' in source) checkEntityName('queue', source.queue);
  else {
    checkEntityName('topic', source.topic);
    checkEntityName('subscription', source.subscription);
  }
  if (!Number.isInteger(maxMessages) || maxMessages < 1 || maxMessages > 100)
    throw invalid('maxMessages', 'must be an integer from 1 to 100');
  if (!(waitMs >= 0 && waitMs <= maxWaitMs)) throw invalid('waitMs', `must be from 0 to ${maxWaitMs} ms`);
}

/** @throws INVALID_ARGUMENT for a message that is already a dead letter */
export function checkDeadLetter(message: ReceivedMessage, reason: string, description: string): void {
  if (message.source.deadLetter === true)
    throw invalid('message', 'is already a dead letter: complete it, abandon it or resubmit it');
  checkText('reason', reason, 1, 4096);
  checkText('description', description, 0, 4096);
}

/** The path of an entity in Service Bus, without its dead-letter sub-queue. */
export function entityPath(source: QueueSource): string {
  return 'queue' in source ? source.queue : `${source.topic}/Subscriptions/${source.subscription}`;
}

/** Checks the name of an entity: up to 260 letters, digits and `.-_/~`, as Service Bus. Case is ignored. */
export function checkEntityName(field: string, name: string): void {
  if (!/^[A-Za-z0-9]([A-Za-z0-9._~/-]{0,258}[A-Za-z0-9])?$/.test(name) || /\/subscriptions\//i.test(name))
    throw invalid(field, 'must be an entity name: letters, digits and ".-_/~", at most 260 characters');
}

/** The error of a settlement after the lock expired: another receiver may hold the message. */
export function lockLost(message: ReceivedMessage, cause?: unknown): AppError {
  return new AppError(
    'PRECONDITION_FAILED',
    `The lock on message "${message.id}" of "${entityPath(message.source)}" was lost.`,
    { messageId: message.id, entity: entityPath(message.source) },
    cause,
  );
}

export function noSuchEntity(entity: string, cause?: unknown): AppError {
  return new AppError(
    'NOT_FOUND',
    `The queue, topic or subscription "${entity}" does not exist.`,
    { entity },
    cause,
  );
}

function encodeMessage(message: OutgoingMessage, path: string): EncodedMessage {
  checkText(`${path}.id`, message.id, 1, 128);
  if (message.subject !== undefined) checkText(`${path}.subject`, message.subject, 0, 4096);
  if (message.correlationId !== undefined) checkText(`${path}.correlationId`, message.correlationId, 0, 4096);
  for (const [name, value] of Object.entries(message.properties ?? {}))
    checkProperty(`${path}.properties`, name, value);
  const { scheduledFor } = message;
  if (scheduledFor !== undefined && !(Number.isSafeInteger(scheduledFor) && scheduledFor >= 0))
    throw invalid(`${path}.scheduledFor`, 'must be whole milliseconds since the Unix epoch');
  return {
    id: message.id,
    body: encodeBody(`${path}.body`, message.body),
    subject: message.subject,
    correlationId: message.correlationId,
    properties: message.properties ?? {},
    scheduledFor,
  };
}

function encodeBody(path: string, body: JsonValue): string {
  const text = JSON.stringify(body, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw invalid(path, `contains ${value} at "${key}", which JSON cannot represent`);
    return value;
  }) as string | undefined;
  if (text === undefined) throw invalid(path, 'must be a JSON value');
  return text;
}

/** Rejects integers beyond ±(2^53 - 1), because AMQP readers return them as bytes. */
function checkProperty(path: string, name: string, value: string | number | boolean): void {
  checkText(`${path} name`, name, 1, 128);
  if (name === '__proto__') throw invalid(path, 'cannot be named "__proto__"');
  if (typeof value === 'string') return checkText(`${path}.${name}`, value, 0, 32_768);
  if (typeof value === 'boolean') return;
  if (typeof value !== 'number' || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
    throw invalid(`${path}.${name}`, 'must be a string, a boolean or a number within ±(2^53 - 1)');
}

/** Rejects lone surrogates, because UTF-8 cannot represent them. */
function checkText(field: string, text: string, minLength: number, maxLength: number): void {
  if (typeof text !== 'string' || text.length < minLength || text.length > maxLength || !text.isWellFormed())
    throw invalid(field, `must be well-formed text of ${minLength}–${maxLength} characters`);
}

function headerBytes({ id, subject = '', correlationId = '', properties }: EncodedMessage): number {
  const entries = Object.entries(properties);
  const propertyBytes = entries.reduce(
    (total, [name, value]) =>
      total + utf8Bytes(name) + (typeof value === 'string' ? utf8Bytes(value) : 4) + 10,
    0,
  );
  return 160 + utf8Bytes(id) + utf8Bytes(subject) + utf8Bytes(correlationId) + propertyBytes;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function invalid(field: string, problem: string): AppError {
  return new AppError('INVALID_ARGUMENT', `${field} ${problem}.`, { field });
}
