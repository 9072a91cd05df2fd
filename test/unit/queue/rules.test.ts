import { describe, expect, it } from 'vitest';
import { isAppError } from '../../../shared/core/errors.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import {
  checkEntityName,
  encodeMessages,
  maxSendBytes,
} from '../../../shared/platform/storage/queue-rules.ts';

function errorOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (isAppError(error)) return { code: error.code, ...error.details };
    throw error;
  }
  return undefined;
}

describe('queue rules', () => {
  it('name the faulty message and field', () => {
    const send = (message: Partial<OutgoingMessage>) =>
      errorOf(() =>
        encodeMessages('work', [
          { id: 'a', body: 1 },
          { id: 'b', body: 1, ...message },
        ]),
      );
    expect(send({})).toBeUndefined();
    expect(send({ id: '' })).toEqual({ code: 'INVALID_ARGUMENT', field: 'messages[1].id' });
    expect(send({ subject: '\udfff' })).toEqual({ code: 'INVALID_ARGUMENT', field: 'messages[1].subject' });
    expect(send({ body: { deep: [Number.NaN] } })).toEqual({
      code: 'INVALID_ARGUMENT',
      field: 'messages[1].body',
    });
    expect(send({ properties: { n: 2 ** 53 } })).toEqual({
      code: 'INVALID_ARGUMENT',
      field: 'messages[1].properties.n',
    });
    expect(send({ scheduledFor: 1.5 })).toEqual({
      code: 'INVALID_ARGUMENT',
      field: 'messages[1].scheduledFor',
    });
  });

  it('count bytes, not characters, and all messages together', () => {
    const body = (characters: number, text = 'x') => text.repeat(characters);
    const send = (...bodies: string[]) =>
      errorOf(() =>
        encodeMessages(
          'work',
          bodies.map((each, i) => ({ id: String(i), body: each })),
        ),
      );
    expect(send(body(maxSendBytes - 1000))).toBeUndefined();
    expect(send(body(maxSendBytes))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', maxSizeBytes: 262_144 });
    expect(send(body(maxSendBytes / 2, 'é'))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(send(body(90_000), body(90_000))).toBeUndefined();
    expect(send(body(90_000), body(90_000), body(90_000))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it.each([
    ['landing', true],
    ['team/landing-2.v1_x', true],
    ['a', true],
    ['a'.repeat(260), true],
    ['a'.repeat(261), false],
    ['', false],
    ['/a', false],
    ['a/', false],
    ['a b', false],
    ['a/Subscriptions/b', false],
    ['$cbs', false],
    ['a/$DeadLetterQueue', false],
  ])('entity name %j: %s', (name, isValid) => {
    expect(errorOf(() => checkEntityName('queue', name)) === undefined).toBe(isValid);
  });
});
