import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DurableTasks,
  orchestrate,
  type RunResult,
  type StepCall,
  type StepOutcome,
} from '../../shared/domains/pipelines/orchestrate.ts';
import type { Plan, PlannedStep } from '../../shared/domains/pipelines/plan.ts';
import { findCycle } from '../../shared/domains/pipelines/planning/find-cycle.ts';
import { planOf, stepOf } from '../support/pipelines/plans.ts';

/** Names of steps that are also members of Object.prototype. */
const hostileNames = ['constructor', '__proto__', 'toString', 'valueOf', 'prototype', 'then', 'length'];

/** Random graphs: step i may need any steps before it in a random permutation, so there is never a cycle. */
const planArbitrary = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 12 })
  .map((seeds): Plan => {
    const nameOf = (i: number) => hostileNames[i] ?? `s${i}`;
    const steps = seeds.map(([needsSeed, , maxAttempts], i) => {
      const needs = seeds.slice(0, i).flatMap((_, j) => ((needsSeed >> (j % 30)) & 1 ? [nameOf(j)] : []));
      return stepOf(nameOf(i), needs, { maxAttempts, firstDelayMs: 10, backoff: 2 });
    });
    const order = seeds.map(([, rank], i) => ({ rank, i })).sort((a, b) => a.rank - b.rank || a.i - b.i);
    return planOf(order.map(({ i }) => steps[i] as PlannedStep));
  });

test('an orderable plan has no cycle, and one backward dependency makes one', () => {
  fc.assert(
    fc.property(planArbitrary, fc.nat(), fc.nat(), ({ steps }, a, b) => {
      const needs = new Map<string, readonly string[]>(steps.map((step) => [step.name, step.needs]));
      expect(findCycle(needs)).toBeUndefined();
      const from = steps[a % steps.length]!.name;
      const to = steps[b % steps.length]!.name;
      const isBack = from === to || reaches(needs, to, from);
      const cycle = findCycle(new Map([...needs, [from, [...(needs.get(from) ?? []), to]]]));
      expect(cycle !== undefined).toBe(isBack);
      if (!cycle) return;
      for (const [i, name] of cycle.entries())
        expect([...(needs.get(name) ?? []), ...(name === from ? [to] : [])]).toContain(
          cycle[(i + 1) % cycle.length],
        );
    }),
  );
});

test('a run does every step as often as required, and none before its dependencies', () => {
  fc.assert(
    fc.property(
      planArbitrary,
      fc.array(fc.nat({ max: 5 }), { minLength: 12, maxLength: 12 }),
      (plan, failures) => {
        const failsFirst = (name: string) =>
          failures[plan.steps.findIndex((each) => each.name === name)] ?? 0;
        const { result, calls } = run(plan, (call) =>
          call.attempt > failsFirst(call.step)
            ? { ok: true, output: call.step }
            : { ok: false, error: { code: 'UNAVAILABLE', message: 'not yet', retry: true } },
        );
        const callsOf = (name: string) => calls.filter((call) => call.step === name);
        for (const planned of plan.steps) {
          const wanted = failsFirst(planned.name) + 1;
          const made = callsOf(planned.name);
          expect(made.length).toBeLessThanOrEqual(Math.min(wanted, planned.retry.maxAttempts));
          expect(made.map((call) => call.attempt)).toEqual(made.map((_, i) => i + 1));
          for (const call of made)
            expect(call.input).toEqual(Object.fromEntries(planned.needs.map((need) => [need, need])));
        }
        const doomed = plan.steps.some((planned) => failsFirst(planned.name) >= planned.retry.maxAttempts);
        if (!doomed) {
          expect(result.status).toBe('succeeded');
          expect(Object.keys(result.outputs).sort()).toEqual(plan.steps.map(({ name }) => name).sort());
        }
        if (result.status === 'failed') expect(doomed).toBe(true);
      },
    ),
  );
});

test('a final error ends the run at once, and starts no dependent step', () => {
  const plan = planOf([stepOf('a'), stepOf('b', ['a']), stepOf('c')]);
  const { result, calls } = run(plan, (call) =>
    call.step === 'a'
      ? { ok: false, error: { code: 'UNPROCESSABLE', message: 'corrupt', retry: false } }
      : { ok: true, output: null },
  );
  expect(calls.map((call) => call.step)).toEqual(['a', 'c']);
  expect(result).toMatchObject({ status: 'failed', error: { step: 'a', code: 'UNPROCESSABLE' } });
});

test('a retry waits first delay × backoff^attempts', () => {
  const plan = planOf([{ ...stepOf('a'), retry: { maxAttempts: 4, firstDelayMs: 100, backoff: 3 } }]);
  const { sleeps } = run(plan, () => ({
    ok: false,
    error: { code: 'TIMEOUT', message: 'slow', retry: true },
  }));
  expect(sleeps).toEqual([100, 300, 900]);
});

test('an activity that ended without an outcome is retried as a transient failure', () => {
  const plan = planOf([
    { ...stepOf('a'), retry: { maxAttempts: 2, firstDelayMs: 100, backoff: 3 } },
    { ...stepOf('b'), retry: { maxAttempts: 2, firstDelayMs: 100, backoff: 3 } },
  ]);
  const asks = run(plan, (call) => {
    if (call.step === 'a' && call.attempt === 1) throw new Error('the process was lost');
    return { ok: true, output: call.step };
  });
  expect(asks.sleeps).toEqual([100]);
  expect(asks.result).toEqual({ status: 'succeeded', outputs: { a: 'a', b: 'b' } });
  const lost = run(plan, () => {
    throw new Error('the process was lost');
  });
  expect(lost.result).toMatchObject({ status: 'failed', error: { step: 'a', code: 'INTERNAL' } });
});

test('gives an unexpected failure three attempts, and an outage all of them', () => {
  const plan = planOf([{ ...stepOf('a'), retry: { maxAttempts: 8, firstDelayMs: 1, backoff: 1 } }]);
  const attemptsAt = (code: string) =>
    run(plan, () => ({ ok: false, error: { code, message: 'no', retry: true } })).calls.length;
  expect([attemptsAt('INTERNAL'), attemptsAt('UNAVAILABLE')]).toEqual([3, 8]);
});

/** A minimal durable engine: every yielded task has the result of its operation. */
function run(plan: Plan, answer: (call: StepCall) => StepOutcome) {
  const calls: StepCall[] = [];
  const sleeps: number[] = [];
  const finished: RunResult[] = [];
  interface Done {
    readonly value: unknown;
    readonly failed?: boolean;
  }
  const tasks: DurableTasks<Done> = {
    callStep: (call) => {
      calls.push(call);
      try {
        return { value: answer(call) };
      } catch (error) {
        return { value: error, failed: true };
      }
    },
    finish: (_, result) => {
      finished.push(result);
      return { value: undefined };
    },
    all: (all) => all.find((task) => task.failed) ?? { value: all.map((task) => task.value) },
    sleep: (ms) => {
      sleeps.push(ms);
      return { value: undefined };
    },
    setStatus: (status) => expect(JSON.stringify(status).length).toBeLessThan(16_384),
  };
  const generator = orchestrate('run', plan, tasks);
  let next = generator.next();
  while (!next.done) {
    const task: Done = next.value;
    next = task.failed ? generator.throw(task.value) : generator.next(task.value);
  }
  expect(finished).toEqual([next.value]);
  return { result: next.value, calls, sleeps };
}

function reaches(needs: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const direct = needs.get(from) ?? [];
  return direct.includes(to) || direct.some((need) => reaches(needs, need, to));
}
