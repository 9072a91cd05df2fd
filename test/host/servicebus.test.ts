import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue, type SqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { join } from 'node:path';
import { startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';

let host: FixtureHost;
let queue: SqliteQueue;
beforeAll(async () => {
  host = await startFixtureHost();
  queue = openSqliteQueue(
    { clock: systemClock, ids: systemIds },
    { file: join(host.folder.dataDir, 'host.db') },
  );
});
afterAll(async () => {
  await queue.close();
  await host.stop();
});

test('a message reaches its function with its properties, and is completed', async () => {
  await queue.send('single', [
    {
      id: 'm-1',
      body: { n: 1 },
      subject: 'greeting',
      correlationId: 'c-1',
      properties: { colour: 'red', size: 2 },
    },
  ]);
  const [seen] = await host.waitFor('single', 1);
  expect(seen).toMatchObject({
    message: { n: 1 },
    metadata: {
      messageId: 'm-1',
      deliveryCount: 1,
      subject: 'greeting',
      correlationId: 'c-1',
      applicationProperties: { colour: 'red', size: 2 },
    },
  });
  await expect
    .poll(async () => (await queue.counts()).find(({ entity }) => entity === 'single'))
    .toMatchObject({ active: 0 });
});

test('trap 19: a failing message is redelivered with its count, and dead-lettered after the tenth time', async () => {
  await queue.send('single', [{ id: 'bad', body: { fail: true } }]);
  await expect.poll(() => queue.peekDeadLetters({ queue: 'single' }, 10)).toMatchObject([{ id: 'bad' }]);
  const seen = host.recorded('single').filter(({ message }) => (message as { fail?: boolean }).fail);
  expect(seen.map(({ metadata }) => (metadata as { deliveryCount: number }).deliveryCount)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ]);
});

test('trap 19: a batch function gets all waiting messages at once, with properties as arrays', async () => {
  const messages = Array.from({ length: 5 }, (_, index) => ({
    id: `b-${index}`,
    body: index,
    properties: { index },
  }));
  await queue.send('events', messages);
  const seen = await host.waitFor('batch', 1);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    messages: [0, 1, 2, 3, 4],
    metadata: {
      messageIdArray: ['b-0', 'b-1', 'b-2', 'b-3', 'b-4'],
      deliveryCountArray: [1, 1, 1, 1, 1],
      applicationPropertiesArray: messages.map(({ properties }) => properties),
    },
  });
});

test('an output sends one message per element of an array', async () => {
  const response = await fetch(`${host.url}/fan`, {
    method: 'POST',
    body: JSON.stringify([{ a: 1 }, { a: 2 }]),
  });
  expect(response.status).toBe(202);
  const seen = await host.waitFor('out-reader', 2);
  expect(seen.map(({ message }) => message)).toEqual(expect.arrayContaining([{ a: 1 }, { a: 2 }]));
});

test('messages sent while the host was down are delivered after the start', async () => {
  const before = host.recorded('single').length;
  const restarting = host.restart();
  await queue.send('single', [{ id: 'waited', body: {} }]);
  host = await restarting;
  expect(await host.waitFor('single', before + 1)).toHaveLength(before + 1);
});
