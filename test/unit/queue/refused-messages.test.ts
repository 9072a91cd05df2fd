import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { forEachSettled } from '../../../shared/core/async/for-each-settled.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { openSqliteQueue } from '../../../shared/adapters/embedded/sqlite-queue.ts';
import { sendToRefused } from '../../../shared/platform/storage/refused-messages.ts';
import { createFolder } from '../../support/stores.ts';

const error = new AppError('INVALID_ARGUMENT', 'The event is not valid.');

test.each([
  ['an object', { a: [1] }, '{"a":[1]}'],
  ['a text', 'hello "you"', 'hello "you"'],
  ['bytes', Buffer.from('{"a":'), '{"a":'],
  ['nothing', undefined, 'null'],
  ['half a surrogate pair', 'a\ud800', 'a\ufffd'],
  ['an escaped one', { a: '\ud800' }, '{"a":"\\ud800"}'],
  ['more than the limit of a message', '\u0001'.repeat(300_000), '\u0001'.repeat(32 * 1024)],
])('keeps %s with its reason in the queue "refused"', async (_, body, kept) => {
  const queue = openQueue();
  await sendToRefused(queue, 'refused', { by: 'landingQueue', messageId: 'm1', body, error });
  const [message] = await queue.receive({ queue: 'refused' }, { maxMessages: 1, waitMs: 0 });
  expect(message?.body).toEqual({
    by: 'landingQueue',
    messageId: 'm1',
    code: 'INVALID_ARGUMENT',
    reason: 'The event is not valid.',
    body: kept,
  });
});

test('processes every item, refuses those with a final error, and throws a transient error at the end', async () => {
  const done: string[] = [];
  const refused: string[] = [];
  const walk = forEachSettled(
    ['bad', 'down', 'bug', 'good'],
    async (item) => {
      if (item === 'bad') throw error;
      if (item === 'down') throw new AppError('UNAVAILABLE', 'down');
      if (item === 'bug') throw new TypeError('bug');
      done.push(item);
    },
    (item) => void refused.push(item),
  );
  await expect(walk).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect({ done, refused }).toEqual({ done: ['good'], refused: ['bad'] });
});

test('refuses a suspected defect after a few deliveries', async () => {
  const refused: AppError[] = [];
  const bug = new TypeError('bug');
  const deliver = (attempts: number) =>
    forEachSettled(
      ['bug'],
      () => Promise.reject(bug),
      (_item, error) => void refused.push(error),
      attempts,
    );
  await expect(deliver(1)).rejects.toBe(bug);
  await expect(deliver(2)).rejects.toBe(bug);
  await deliver(3);
  expect(refused).toMatchObject([{ code: 'INTERNAL', cause: bug }]);
});

function openQueue() {
  const file = join(createFolder(), 'queue.db');
  const queue = openSqliteQueue(
    { clock: systemClock, ids: systemIds },
    { file, topology: { queues: ['refused'], topics: {} } },
  );
  onTestFinished(() => queue.close());
  return queue;
}
