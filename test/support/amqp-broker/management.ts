import rhea from 'rhea';
import { lockLost, toWire } from './delivery-link.ts';
import type { Entity, Outcome } from './entity.ts';
import type { WireMessage } from './wire.ts';

export interface Reply {
  readonly application_properties: Record<string, unknown>;
  readonly body?: unknown;
}

/** The request/response operations of an entity's `$management` node that the SDK uses for us. */
export function answerManagement(entity: Entity, request: WireMessage): Reply {
  const { operation } = request['application_properties'] as { operation: string };
  const body = request['body'] as Record<string, unknown>;
  switch (operation) {
    case 'com.microsoft:renew-lock': {
      const ends = readTokens(body).map((token) => entity.renew(token));
      if (ends.includes(undefined)) return fail(410, lockLost.condition, lockLost.description);
      return succeed({ expirations: ends.map((end) => new Date(end!)) });
    }
    case 'com.microsoft:update-disposition': {
      const outcome = readDisposition(body);
      const isHeld = readTokens(body).every((token) => entity.settle(token, outcome));
      return isHeld ? succeed({}) : fail(410, lockLost.condition, lockLost.description);
    }
    case 'com.microsoft:peek-message': {
      const found = entity.peek(Number(body['from-sequence-number']), Number(body['message-count']));
      if (found.length === 0) return { application_properties: { statusCode: 204 }, body: {} };
      return succeed({ messages: found.map((stored) => ({ message: rhea.message.encode(toWire(stored)) })) });
    }
    default:
      return fail(501, 'amqp:not-implemented', `no operation ${operation}`);
  }
}

export function fail(statusCode: number, errorCondition: string, statusDescription: string): Reply {
  return { application_properties: { statusCode, errorCondition, statusDescription }, body: {} };
}

function succeed(body: unknown): Reply {
  return { application_properties: { statusCode: 200, statusDescription: 'OK' }, body };
}

function readTokens(body: Record<string, unknown>): string[] {
  return (body['lock-tokens'] as Buffer[]).map((token) => rhea.uuid_to_string(token));
}

function readDisposition(body: Record<string, unknown>): Outcome {
  switch (body['disposition-status']) {
    case 'completed':
      return { kind: 'complete' };
    case 'suspended':
      return {
        kind: 'deadLetter',
        reason: String(body['deadletter-reason']),
        description: String(body['deadletter-description']),
      };
    default:
      return { kind: 'abandon' };
  }
}
