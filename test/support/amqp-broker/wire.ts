import rhea, { type AmqpError, type EventContext } from 'rhea';

/** A decoded AMQP message, its sections by name. */
export type WireMessage = Readonly<Record<string, unknown>>;

/** rhea decodes transfers in the standard format, and passes others on as bytes. */
export function decodeTransfer({ message, delivery }: EventContext): WireMessage[] {
  const content: unknown = message;
  return delivery?.format === batchFormat ? decodeBatch(content as Buffer) : [content as WireMessage];
}

/** Service Bus's own AMQP format of several messages in one transfer. */
const batchFormat = 0x80013700;

interface Outcomes {
  accepted(): { described(): unknown };
  rejected(fields: { error: AmqpError }): { described(): unknown };
}

// rhea has these two, but its typings lack them.
const outcomes = rhea.message as unknown as Outcomes;

export const accepted = (): unknown => outcomes.accepted().described();
export const rejected = (error: AmqpError): unknown => outcomes.rejected({ error }).described();

/** A batch's body is one data section per message, each an encoded message. */
function decodeBatch(transfer: Buffer): WireMessage[] {
  const body = rhea.message.decode(transfer)['body'] as { content: Buffer | Buffer[] };
  return [body.content].flat().map((encoded): WireMessage => rhea.message.decode(encoded));
}

/** The service tags a delivery with the lock token as .NET lays out a GUID: the first three groups reversed. */
export function lockTokenToTag(token: string): Buffer {
  const bytes = Buffer.from(rhea.string_to_uuid(token));
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
