import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemIds } from '../../../shared/core/ids.ts';
import { openSqliteQueue } from '../../../shared/adapters/embedded/sqlite-queue.ts';
import type { ReceivedMessage } from '../../../shared/platform/storage/queue.ts';
import { codeOf } from '../../contract/queue-fixture.ts';

const lockMs = 10;
const maxDeliveries = 3;
const source = { queue: 'work' };

/** A message as the port specifies it. */
interface Modelled {
  readonly id: string;
  arrivesAt: number;
  /** Its place in the order: time of arrival, then position among simultaneous arrivals. */
  order: number;
  deliveries: number;
  lockedUntil: number;
  isDead: boolean;
}

type Step =
  | { readonly do: 'send'; readonly delayMs: number }
  | { readonly do: 'receive'; readonly count: number; readonly dead: boolean }
  | { readonly do: 'complete' | 'abandon' | 'kill' | 'renew'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number };

const which = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send'), delayMs: fc.constantFrom(0, 0, 0, 3, 12) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('receive'),
      count: fc.integer({ min: 1, max: 3 }),
      dead: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('complete', 'abandon', 'kill', 'renew'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 4, 10, 25) }) },
);

it('SQLite queue: any history of calls agrees with a model in memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'queue-model-'));
  try {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { observed, modelled } = await play(join(directory, `${run++}.db`), steps);
        expect(observed).toEqual(modelled);
      }),
      { numRuns: 80 },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** @returns the answer of the queue to each step, and the expected one. */
async function play(file: string, steps: readonly Step[]) {
  const observed: unknown[] = [];
  const modelled: unknown[] = [];
  let time = 1000;
  let sent = 0;
  let arrivals = 0;
  let model: Modelled[] = [];
  const received: ReceivedMessage[] = [];
  const clock = { now: () => time, sleep: () => Promise.reject(new Error('nothing waits here')) };
  const queue = openSqliteQueue(
    { clock, ids: systemIds },
    { file, topology: { queues: ['work'] }, lockDurationMs: lockMs, maxDeliveryCount: maxDeliveries },
  );

  /** The effects of time, applied before each operation. */
  const settleTime = () => {
    for (const each of model)
      if (each.lockedUntil !== 0 && each.lockedUntil <= time) {
        each.lockedUntil = 0;
        if (each.deliveries >= maxDeliveries) each.isDead = true;
      }
    for (const each of model
      .filter(({ arrivesAt }) => arrivesAt !== 0 && arrivesAt <= time)
      .sort(byArrival)) {
      each.arrivesAt = 0;
      each.order = ++arrivals;
    }
  };
  const held = (message: ReceivedMessage) =>
    model.find(
      (each) =>
        each.id === message.id &&
        each.lockedUntil === locks.get(message.lockToken) &&
        each.lockedUntil > time,
    );
  const locks = new Map<string, number>();

  for (const each of steps) {
    switch (each.do) {
      case 'send': {
        const id = `m${++sent}`;
        const scheduledFor = time + each.delayMs;
        await queue.send('work', [{ id, body: null, scheduledFor }]);
        const arrivesAt = each.delayMs === 0 ? 0 : scheduledFor;
        model.push({
          id,
          arrivesAt,
          order: arrivesAt === 0 ? ++arrivals : sent,
          deliveries: 0,
          lockedUntil: 0,
          isDead: false,
        });
        break;
      }
      case 'receive': {
        const batch = await queue.receive(
          { ...source, deadLetter: each.dead },
          { maxMessages: each.count, waitMs: 0 },
        );
        settleTime();
        const expected = model
          .filter(
            ({ arrivesAt, lockedUntil, isDead }) =>
              arrivesAt === 0 && lockedUntil === 0 && isDead === each.dead,
          )
          .sort((a, b) => a.order - b.order)
          .slice(0, each.count);
        for (const one of expected) {
          one.deliveries++;
          one.lockedUntil = time + lockMs;
        }
        observed.push(
          batch.map(({ id, deliveryCount, lockedUntil }) => ({ id, deliveryCount, lockedUntil })),
        );
        modelled.push(
          expected.map(({ id, deliveries, lockedUntil }) => ({ id, deliveryCount: deliveries, lockedUntil })),
        );
        for (const message of batch) {
          received.unshift(message);
          locks.set(message.lockToken, message.lockedUntil);
        }
        break;
      }
      case 'wait':
        time += each.ms;
        break;
      case 'complete':
      case 'abandon':
      case 'kill':
      case 'renew': {
        const message = received[each.which];
        if (message === undefined) break;
        const target = held(message);
        const call = {
          complete: () => queue.complete(message),
          abandon: () => queue.abandon(message),
          kill: () => queue.deadLetter(message, 'r', 'd'),
          renew: () => queue.renewLock(message),
        }[each.do];
        const isDeadAlready = each.do === 'kill' && message.source.deadLetter === true;
        observed.push(await codeOf(call()));
        modelled.push(
          isDeadAlready ? 'INVALID_ARGUMENT' : target === undefined ? 'PRECONDITION_FAILED' : 'none',
        );
        if (target === undefined || isDeadAlready) break;
        locks.delete(message.lockToken);
        if (each.do === 'complete') model = model.filter((one) => one !== target);
        else if (each.do === 'renew') {
          target.lockedUntil = time + lockMs;
          locks.set(message.lockToken, target.lockedUntil);
        } else {
          target.lockedUntil = 0;
          if (each.do === 'kill' || target.deliveries >= maxDeliveries) target.isDead = true;
        }
      }
    }
  }
  await queue.close();
  return { observed, modelled };
}

function byArrival(a: Modelled, b: Modelled): number {
  return a.arrivesAt - b.arrivesAt || a.order - b.order;
}
