import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ServiceBusClient } from '@azure/service-bus';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createServiceBusQueue,
  type ServiceBusConnection,
} from '../../shared/adapters/azure/service-bus-queue.ts';
import { translateServiceBusError } from '../../shared/adapters/azure/service-bus/errors.ts';
import { toServiceBusMessage } from '../../shared/adapters/azure/service-bus/messages.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { MessageQueue, OutgoingMessage, ReceivedMessage } from '../../shared/platform/storage/queue.ts';
import { encodeMessages, estimateSendBytes } from '../../shared/platform/storage/queue-rules.ts';
import { AmqpBroker } from '../support/amqp-broker/broker.ts';
import { waitForDrains } from '../support/amqp-broker/wait-for-drains.ts';
import { hangGuardMs, patienceMs } from '../support/hang-guard.ts';
import { until } from '../support/until.ts';
import { settle, useVirtualTimers } from '../support/virtual-timers.ts';
import { codeOf } from './queue-fixture.ts';

const source = { queue: 'work' };
const one = { maxMessages: 1, waitMs: patienceMs };
const hello: OutgoingMessage = { id: 'hello', body: 'hello' };

let broker: AmqpBroker;
let endDrains: () => void;
const clients: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  endDrains = waitForDrains();
  broker = new AmqpBroker(
    { queues: ['work'], topics: { events: ['all'] } },
    { lockDurationMs: 2 * hangGuardMs, maxDeliveryCount: 10 },
    systemClock,
  );
  await broker.start();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await broker.dispose();
  endDrains();
});

const emulator = () =>
  `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=root;SharedAccessKey=key;UseDevelopmentEmulator=true`;

function connect(
  connection: ServiceBusConnection = { connectionString: emulator() },
  operationTimeoutMs = patienceMs,
): MessageQueue {
  const queue = createServiceBusQueue(
    { clock: systemClock },
    { connection, probe: source, operationTimeoutMs },
  );
  clients.push(queue);
  return queue;
}

/**
 * Makes a call whose connection breaks. The SDK notices that only by the timeout of the attempt, which passes here once
 * the connection is closed, and with it the pause before the next attempt.
 */
async function callBroken<T>(call: () => Promise<T>): Promise<T> {
  useVirtualTimers();
  const calling = call();
  await until(() => broker.pendingFaults === 0 && broker.connectionCount === 0);
  await vi.advanceTimersByTimeAsync(patienceMs / 4 + 5_000);
  vi.useRealTimers();
  return calling;
}

/**
 * The SDK makes a connection string of the namespace, `Endpoint=sb://<namespace>/;…`, and knows the flag for plain
 * TCP only there. This is a namespace that carries the flag; the last setting takes up the slash.
 */
function connectWithCredential(token: string): MessageQueue {
  return connect({
    fullyQualifiedNamespace: `127.0.0.1:${broker.port};UseDevelopmentEmulator=true;Unused=`,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
  });
}

describe('Service Bus: authorization', () => {
  it('sends the credential’s token for each entity', async () => {
    const queue = connectWithCredential('a.jwt.token');
    await queue.send('work', [hello]);
    await queue.complete((await queue.receive(source, one))[0]!);
    await queue.ping();
    expect(broker.tokens.map(({ type, token }) => ({ type, token }))).toEqual(
      broker.tokens.map(() => ({ type: 'jwt', token: 'a.jwt.token' })),
    );
    const entities = broker.tokens.map(({ audience }) => audience.replace(/^sb:\/\/[^/]+\//, ''));
    expect(new Set(entities)).toEqual(new Set(['work', 'work/$management']));
  });

  it('signs with the key of a connection string', async () => {
    await connect().send('work', [hello]);
    expect(broker.tokens[0]).toMatchObject({ type: 'servicebus.windows.net:sastoken' });
    expect(broker.tokens[0]?.token).toMatch(/^SharedAccessSignature sr=.*&sig=.*&se=\d+&skn=root$/);
  });

  it('reports refused credentials as an outage', async () => {
    broker.isTokenValid = () => false;
    const queue = connectWithCredential('expired');
    expect(await codeOf(queue.send('work', [hello]))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.receive(source, one))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.ping())).toBe('UNAVAILABLE');
    expect(broker.messageIds('work')).toEqual([]);
  });
});

describe('Service Bus: a broken network', () => {
  it('is UNAVAILABLE while the broker is down, and recovers with the same client', async () => {
    const queue = connect();
    await queue.send('work', [hello]);
    const [message] = await queue.receive(source, one);
    await broker.stop();
    expect(await callBroken(() => codeOf(queue.send('work', [hello])))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.ping())).toBe('UNAVAILABLE');
    expect(await codeOf(queue.receive(source, one))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.renewLock(message!))).toBe('UNAVAILABLE');
    await broker.start();
    await queue.ping();
    await queue.send('work', [{ id: 'after', body: 1 }]);
    // Its link is closed but its lock holds: the management node settles it.
    await queue.complete(message!);
    expect(broker.messageIds('work')).toEqual(['after']);
  });

  it('is UNAVAILABLE when no broker ever listened', async () => {
    await broker.stop();
    const queue = connect();
    expect(await codeOf(queue.send('work', [hello]))).toBe('UNAVAILABLE');
    expect(await codeOf(queue.ping())).toBe('UNAVAILABLE');
  });

  it('in the middle of a transfer: repeats the whole send', async () => {
    const queue = connect();
    await queue.send('work', [hello]);
    const big = ['a', 'b'].map((id) => ({ id, body: id.repeat(80_000) }));
    broker.failNext({ on: 'bytes', count: 60_000 });
    await callBroken(() => queue.send('work', big));
    expect(broker.messageIds('work')).toEqual(['hello', 'a', 'b']);
  });

  it('around the storing of a message: delivers it at least once', async () => {
    const queue = connect();
    broker.failNext({ on: 'send', drop: 'before' });
    await callBroken(() => queue.send('work', [{ id: 'before', body: 1 }]));
    expect(broker.messageIds('work')).toEqual(['before']);
    broker.failNext({ on: 'send', drop: 'after' });
    await callBroken(() => queue.send('work', [{ id: 'after', body: 1 }]));
    expect(new Set(broker.messageIds('work'))).toEqual(new Set(['before', 'after']));
  });

  it('during a receive: reports an outage or delivers the message', async () => {
    const queue = connect();
    const waiting = codeOf(queue.receive(source, one));
    await until(() => broker.waitingReceivers > 0);
    broker.dropConnections();
    await connect().send('work', [hello]);
    expect(['none', 'UNAVAILABLE']).toContain(await waiting);
    const held = broker.messageIds('work');
    expect(held).toEqual(['hello']);
  });

  it('between a settlement and its answer: settles the message', async () => {
    const queue = connect();
    await queue.send('work', [hello]);
    const [message] = await queue.receive(source, one);
    broker.failNext({ on: 'settle', drop: 'after' });
    const settling = callBroken(() => codeOf(queue.complete(message!)));
    expect(['none', 'PRECONDITION_FAILED', 'TIMEOUT']).toContain(await settling);
    expect(broker.messageIds('work')).toEqual([]);
  });
});

describe('Service Bus: answers of the service', () => {
  const busy = { condition: 'com.microsoft:server-busy', description: 'The request was throttled.' };

  it('retries after one "server busy"', async () => {
    const queue = connect();
    broker.failNext({ on: 'send', reply: busy });
    await queue.send('work', [hello]);
    expect(broker.messageIds('work')).toEqual(['hello']);
  });

  it.each([
    ['com.microsoft:server-busy', 'RATE_LIMITED'],
    ['amqp:resource-limit-exceeded', 'INSUFFICIENT_STORAGE'],
    ['amqp:link:message-size-exceeded', 'PAYLOAD_TOO_LARGE'],
    ['com.microsoft:timeout', 'TIMEOUT'],
    ['com.microsoft:argument-error', 'INVALID_ARGUMENT'],
    ['com.microsoft:entity-disabled', 'UNAVAILABLE'],
    ['amqp:internal-error', 'UNAVAILABLE'],
    ['amqp:unauthorized-access', 'UNAVAILABLE'],
  ] as const)('reports a lasting %s as %s', async (condition, code) => {
    const queue = connect();
    const reply = { condition, description: 'as it happens' };
    broker.failNext({ on: 'send', reply }, { on: 'send', reply }, { on: 'send', reply });
    expect(await codeOf(queue.send('work', [hello]))).toBe(code);
    expect(broker.messageIds('work')).toEqual([]);
  });

  it('is TIMEOUT without an answer', async () => {
    const queue = connect({ connectionString: emulator() }, 1500);
    const hang = { on: 'send', hang: true } as const;
    broker.failNext(hang, hang, hang);
    expect(await codeOf(queue.send('work', [hello]))).toBe('TIMEOUT');
  });

  it('is TIMEOUT without an answer to a renewal, for which the SDK would wait a minute', async () => {
    const timeoutMs = 30_000;
    const queue = connect({ connectionString: emulator() }, timeoutMs);
    await queue.send('work', [hello]);
    const [message] = await queue.receive(source, one);
    broker.failNext({ on: 'manage', hang: true });
    useVirtualTimers();
    expect(await settle(codeOf(queue.renewLock(message!)), timeoutMs)).toBe('TIMEOUT');
    vi.useRealTimers();
    await queue.complete(message!);
  });
});

it('is TIMEOUT within the bound when the service accepts a connection and never answers', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const { port } = silent.address() as AddressInfo;
    const connectionString = emulator().replace(`:${broker.port};`, `:${port};`);
    const queue = connect({ connectionString }, 1000);
    const calls = [queue.ping(), queue.send('work', [hello]), queue.receive(source, { ...one, waitMs: 100 })];
    expect(await Promise.all(calls.map(codeOf))).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

it('reports the SDK’s error for an already settled message as a lost lock', async () => {
  await connect().send('work', [hello]);
  const client = new ServiceBusClient(emulator());
  clients.push(client);
  const receiver = client.createReceiver('work');
  const [message] = await receiver.receiveMessages(1);
  await receiver.completeMessage(message!);
  const [again] = await Promise.allSettled([receiver.completeMessage(message!)]);
  expect(again.status).toBe('rejected');
  const error = again.status === 'rejected' ? translateServiceBusError(again.reason, 'work') : undefined;
  expect(error?.code).toBe('PRECONDITION_FAILED');
});

describe('Service Bus: links', () => {
  it('are opened once and reused', async () => {
    const queue = connect();
    for (let i = 0; i < 5; i++) {
      await queue.send('work', [hello]);
      const [message] = await queue.receive(source, { ...one, maxMessages: 3 });
      await queue.complete(message!);
    }
    // One token for the sender's link and one for the receiver's.
    expect(broker.tokens).toHaveLength(2);
    expect(broker.connectionCount).toBe(1);
  });

  it('are replaced, and messages forgotten, when a consumer never settles', async () => {
    let skippedMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + skippedMs };
    const queue = createServiceBusQueue(
      { clock },
      { connection: { connectionString: emulator() }, probe: source, operationTimeoutMs: patienceMs },
    );
    clients.push(queue);
    const unsettled: ReceivedMessage[] = [];
    for (let i = 0; i < 5; i++) {
      await queue.send(
        'work',
        Array.from({ length: 100 }, (_, k) => ({ id: `${i}-${k}`, body: k })),
      );
      while (unsettled.length < (i + 1) * 100)
        unsettled.push(...(await queue.receive(source, { ...one, maxMessages: 100 })));
    }
    expect(broker.tokens).toHaveLength(2);
    skippedMs = 3_600_000;
    await queue.receive(source, { maxMessages: 1, waitMs: 0 });
    // The broker's clock has not moved: only the client has forgotten them.
    expect(await codeOf(queue.complete(unsettled.at(-1)!))).toBe('PRECONDITION_FAILED');
    await queue.receive(source, { maxMessages: 1, waitMs: 0 });
    expect(broker.tokens).toHaveLength(3);
  });

  it('are closed with the client', async () => {
    const queue = connect();
    await queue.send('work', [hello]);
    await queue.close();
    await expect.poll(() => broker.connectionCount).toBe(0);
  });
});

describe('Service Bus: messages of others', () => {
  it.each([
    ['text', { body: Buffer.from('not json {') }, 'not json {'],
    ['an AMQP value', { body: { a: [1] }, bodyType: 'value' as const }, { a: [1] }],
    ['an AMQP string of JSON', { body: '[1]', bodyType: 'value' as const }, [1]],
    ['nothing', { body: Buffer.alloc(0) }, ''],
  ])('whose body is %s are delivered', async (_kind, message, expected) => {
    const other = new ServiceBusClient(emulator());
    clients.push(other);
    const applicationProperties = { at: new Date(5), none: null };
    await other.createSender('work').sendMessages({ ...message, applicationProperties });
    const [received] = await connect().receive(source, one);
    expect(received?.body).toEqual(expected);
    expect(received?.id).not.toBe('');
    expect(received?.properties).toEqual({ at: 5 });
  });
});

it('the size rule is a tight upper bound of the encoded size', async () => {
  const client = new ServiceBusClient(emulator());
  clients.push(client);
  const sender = client.createSender('work');
  const text = (maxLength: number) => fc.string({ unit: 'grapheme', maxLength });
  const message = fc.record(
    {
      id: fc.string({ minLength: 1, maxLength: 128 }),
      body: text(400),
      subject: text(40),
      correlationId: text(300),
      scheduledFor: fc.nat(),
      properties: fc.dictionary(
        fc.stringMatching(/^[a-z]{1,20}$/),
        fc.oneof(text(300), fc.boolean(), fc.maxSafeInteger(), fc.double({ min: -1, max: 1, noNaN: true })),
        { maxKeys: 5, noNullPrototype: true },
      ),
    },
    { requiredKeys: ['id', 'body'], noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 2, maxLength: 20 }), async (messages) => {
      const encoded = encodeMessages('work', messages);
      const batch = await sender.createMessageBatch();
      for (const each of encoded) expect(batch.tryAddMessage(toServiceBusMessage(each))).toBe(true);
      const estimate = estimateSendBytes(encoded);
      expect(estimate).toBeGreaterThanOrEqual(batch.sizeInBytes);
      expect(estimate).toBeLessThan(batch.sizeInBytes + 200 * (messages.length + 1));
    }),
    { numRuns: 100 },
  );
});
