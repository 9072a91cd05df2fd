import './core.ts';
import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';
import * as fc from 'fast-check';

/** Small orchestrator programs as data: one orchestrator runs any of them, and `evaluate` predicts the result. */
type Leaf =
  { readonly op: 'echo'; readonly value: number } | { readonly op: 'sub'; readonly steps: readonly Step[] };

type Step =
  | Leaf
  | { readonly op: 'all'; readonly leaves: readonly Leaf[] }
  | { readonly op: 'any'; readonly value: number }
  | { readonly op: 'timer'; readonly ms: number }
  | { readonly op: 'fail' }
  | { readonly op: 'tally'; readonly add: number };

export type Program = readonly (Step | { readonly op: 'event'; readonly name: 'a' | 'b' })[];

const value = fc.integer({ min: -9, max: 9 });
const { step } = fc.letrec<{ step: Step; leaf: Leaf; sub: Leaf }>((tie) => ({
  sub: fc.record({ op: fc.constant('sub' as const), steps: fc.array(tie('step'), { maxLength: 3 }) }),
  leaf: fc.oneof({ maxDepth: 2 }, fc.record({ op: fc.constant('echo' as const), value }), tie('sub')),
  step: fc.oneof(
    { maxDepth: 2 },
    fc.record({ op: fc.constant('echo' as const), value }),
    fc.record({ op: fc.constant('any' as const), value }),
    fc.record({ op: fc.constant('timer' as const), ms: fc.integer({ min: -1, max: 4 }) }),
    fc.constant({ op: 'fail' as const }),
    fc.record({ op: fc.constant('tally' as const), add: value }),
    fc.record({
      op: fc.constant('all' as const),
      leaves: fc.array(tie('leaf'), { minLength: 1, maxLength: 4 }),
    }),
    tie('sub'),
  ),
}));

export const programs: fc.Arbitrary<Program> = fc.array(
  fc.oneof(
    step,
    fc.record({ op: fc.constant('event' as const), name: fc.constantFrom('a' as const, 'b' as const) }),
  ),
  { minLength: 1, maxLength: 6 },
);

/** The result of a program whose n-th event of a name carries `name` and n. */
export function evaluate(program: Program): unknown {
  const heard = { a: 0, b: 0 };
  let total = 0;
  return program.map((step): unknown => {
    switch (step.op) {
      case 'echo':
      case 'any':
        return step.value;
      case 'timer':
        return 'fired';
      case 'fail':
        return 'caught';
      case 'tally':
        return (total += step.add);
      case 'all':
        return step.leaves.map((leaf) => (leaf.op === 'echo' ? leaf.value : evaluate(leaf.steps)));
      case 'sub':
        return evaluate(step.steps);
      case 'event':
        return `${step.name}${heard[step.name]++}`;
    }
  });
}

df.app.activity('program-echo', { handler: (input: number) => input });
df.app.activity('program-fail', {
  handler: () => {
    throw new Error('as planned');
  },
});
df.app.entity('program-total', (context: df.EntityContext<number>) => {
  const total = (context.df.getState(() => 0) ?? 0) + (context.df.getInput<number>() ?? 0);
  context.df.setState(total);
  context.df.return(total);
});

type Steps = Generator<df.Task, unknown, unknown>;

function taskOf(context: OrchestrationContext, leaf: Leaf): df.Task {
  return leaf.op === 'echo'
    ? context.df.callActivity('program-echo', leaf.value)
    : context.df.callSubOrchestrator('program', leaf.steps);
}

function* run(context: OrchestrationContext, step: Program[number]): Steps {
  switch (step.op) {
    case 'echo':
    case 'sub':
      return yield taskOf(context, step);
    case 'all':
      return yield context.df.Task.all(step.leaves.map((leaf) => taskOf(context, leaf)));
    case 'any': {
      const late = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 3_600_000));
      const soon = context.df.callActivity('program-echo', step.value);
      const winner = (yield context.df.Task.any([late, soon])) as df.Task;
      late.cancel();
      return winner.result;
    }
    case 'timer':
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + step.ms));
      return 'fired';
    case 'fail':
      try {
        yield context.df.callActivityWithRetry('program-fail', new df.RetryOptions(1, 2));
      } catch {
        return 'caught';
      }
      return 'no error';
    case 'tally':
      return yield context.df.callEntity(
        new df.EntityId('program-total', context.df.instanceId),
        'add',
        step.add,
      );
    case 'event':
      return yield context.df.waitForExternalEvent(step.name);
  }
}

df.app.orchestration('program', function* (context: OrchestrationContext): Steps {
  const results: unknown[] = [];
  for (const step of context.df.getInput<Program>() ?? []) results.push(yield* run(context, step));
  return results;
} as df.OrchestrationHandler);
