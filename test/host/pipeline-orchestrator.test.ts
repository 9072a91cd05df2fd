import { callRegistered } from '../support/durable/core.ts';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunResult, StepCall, StepOutcome } from '../../shared/domains/pipelines/orchestrate.ts';
import type { Plan } from '../../shared/domains/pipelines/plan.ts';
import { planOf, stepOf as createStep } from '../support/pipelines/plans.ts';
import { runToEnd, startHarness, type DurableHarness } from '../support/durable/harness.ts';
import { passTurns } from '../support/turns.ts';

/** The outcomes of a step's attempts, in order; further attempts succeed. */
type Script = Readonly<Record<string, readonly ('busy' | 'broken' | 'thrown' | 'ok')[]>>;

function scriptOf(script: Script, step: string) {
  return (Object.hasOwn(script, step) ? script[step] : undefined) ?? [];
}

const seen = vi.hoisted(() => ({
  script: {} as Script,
  calls: [] as StepCall[],
  finished: [] as { runId: string; result: RunResult }[],
}));

// Slipway's own orchestrator and activities, as registered; only the app behind the activities is scripted.
vi.mock('../../functions/hosting/start.ts', () => ({
  app: {
    pipelines: {
      runStep: async (call: StepCall): Promise<StepOutcome> => {
        seen.calls.push(call);
        const outcome = scriptOf(seen.script, call.step)[call.attempt - 1] ?? 'ok';
        if (outcome === 'thrown') throw new Error('the process was lost');
        if (call.step === 'slow') await passTurns();
        const inputs = Object.values(call.input).filter((value) => typeof value === 'string');
        if (outcome === 'ok') return { ok: true, output: `${call.step}(${inputs.join(',')})` };
        return { ok: false, error: { code: outcome, message: outcome, retry: outcome === 'busy' } };
      },
      runs: {
        finish: async (runId: string, result: RunResult) => void seen.finished.push({ runId, result }),
      },
    },
  },
}));
await import('../../functions/pipelines.durable.ts');

const retry = { maxAttempts: 3, firstDelayMs: 5, backoff: 2 };

const stepOf = (name: string, ...needs: readonly string[]) => createStep(name, needs, retry);

const line = planOf([stepOf('a'), stepOf('b', 'a'), stepOf('c', 'b')]);
const diamond = planOf([stepOf('a'), stepOf('b', 'a'), stepOf('c', 'a'), stepOf('d', 'b', 'c')]);

describe.each([
  { mode: 'in batched turns', verifyReplay: false },
  { mode: 'under forced full replay', verifyReplay: true },
])("trap 9: Slipway's own orchestrator $mode", ({ verifyReplay }) => {
  let harness: DurableHarness;
  beforeAll(async () => {
    harness = await startHarness({ verifyReplay, invoke: callRegistered });
  });
  afterAll(() => harness.dispose());
  beforeEach(() => {
    seen.script = {};
    seen.calls.length = 0;
    seen.finished.length = 0;
  });

  async function run(plan: Plan, script: Script = {}): Promise<RunResult> {
    seen.script = script;
    const { runtimeStatus, output } = await runToEnd(harness, 'pipelineOrchestrator', {
      runId: 'run',
      plan,
    });
    expect(runtimeStatus, String(output)).toBe('Completed');
    expect(seen.finished).toEqual([{ runId: 'run', result: output }]);
    return output as RunResult;
  }
  const calls = (): readonly string[] => seen.calls.map(({ step, attempt }) => `${step}${attempt}`);

  test('a line: each step gets the output of the one before', async () => {
    const result = await run(line);
    expect(result).toEqual({ status: 'succeeded', outputs: { a: 'a()', b: 'b(a())', c: 'c(b(a()))' } });
    expect(calls()).toEqual(['a1', 'b1', 'c1']);
  });

  test('a diamond: the branches run in one round, and the join waits for both', async () => {
    const { outputs } = await run(diamond);
    expect(outputs['d']).toBe('d(b(a()),c(a()))');
    expect(calls().toSorted()).toEqual(['a1', 'b1', 'c1', 'd1']);
    expect(calls().at(-1)).toBe('d1');
  });

  test('retries: a timer between the attempts, in one branch of the diamond', async () => {
    const { status } = await run(diamond, { b: ['busy', 'busy'] });
    expect(status).toBe('succeeded');
    expect(calls().toSorted()).toEqual(['a1', 'b1', 'b2', 'b3', 'c1', 'd1']);
  });

  test('a run ends with the outputs so far when the attempts of a step are exhausted', async () => {
    expect(await run(line, { b: ['busy', 'busy', 'busy'] })).toEqual({
      status: 'failed',
      outputs: { a: 'a()' },
      error: { step: 'b', code: 'busy', message: 'busy', retry: true },
    });
    expect(calls()).toEqual(['a1', 'b1', 'b2', 'b3']);
  });

  test('a failing step ends the run after its sibling has ended, and is not retried', async () => {
    const result = await run(diamond, { b: ['broken'] });
    expect(result).toMatchObject({ status: 'failed', error: { step: 'b', code: 'broken' } });
    expect(result.outputs).toEqual({ a: 'a()', c: 'c(a())' });
    expect(calls().toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  test('an activity that throws is retried after its slower sibling has ended', async () => {
    const plan = planOf([stepOf('a'), stepOf('slow', 'a'), stepOf('b', 'a'), stepOf('end', 'slow', 'b')]);
    const { outputs } = await run(plan, { b: ['thrown'] });
    expect(outputs['end']).toBe('end(slow(a()),b(a()))');
    expect(calls().filter((call) => call.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  test('any plan: no step before its needs, no attempt too many, success when every step has succeeded', async () => {
    await fc.assert(
      fc.asyncProperty(plans, scripts, async (plan, script) => {
        seen.calls.length = 0;
        seen.finished.length = 0;
        const { status, outputs } = await run(plan, script);
        for (const { name, needs } of plan.steps) {
          const attempts = seen.calls.filter(({ step }) => step === name);
          expect(attempts.map(({ attempt }) => attempt)).toEqual(attempts.map((_, index) => index + 1));
          expect(attempts.length).toBeLessThanOrEqual(retry.maxAttempts);
          for (const call of attempts)
            expect(call.input).toEqual(Object.fromEntries(needs.map((need) => [need, outputs[need]])));
        }
        expect(status === 'succeeded').toBe(plan.steps.every(({ name }) => Object.hasOwn(outputs, name)));
        const isDoomed = plan.steps.some(({ name }) => {
          const planned = scriptOf(script, name).slice(0, retry.maxAttempts);
          const firstEnd = planned.find((outcome) => outcome !== 'busy');
          return firstEnd === 'broken' || (firstEnd === undefined && planned.length === retry.maxAttempts);
        });
        expect(status).toBe(isDoomed ? 'failed' : 'succeeded');
      }),
      { numRuns: 25 },
    );
  });
});

/** Every second name is a member of Object.prototype. */
const names = ['s0', 'constructor', 's2', 'tostring', 's4', 'valueof'];
const nameOf = (index: number) => names[index]!;

/** Up to six steps, each needing any of those before it. */
const plans: fc.Arbitrary<Plan> = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 6 })
  .map((picks) =>
    planOf(
      picks.map((needs, index) =>
        stepOf(
          nameOf(index),
          ...new Set(needs.slice(0, index).map((need) => nameOf(need % Math.max(index, 1)))),
        ),
      ),
    ),
  );
const scripts: fc.Arbitrary<Script> = fc.dictionary(
  fc.constantFrom(...names),
  fc.array(fc.constantFrom('busy', 'busy', 'ok', 'broken'), { maxLength: 3 }),
);
