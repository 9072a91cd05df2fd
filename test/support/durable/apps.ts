import './core.ts';
import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

/** Functions of every kind that the engine supports, registered once with the real SDK. */

type Steps = Generator<df.Task, unknown, unknown>;
type Orchestrator = (context: OrchestrationContext) => Steps;

const attempts = new Map<string, number>();

export function attemptsOf(key: string): number {
  return attempts.get(key) ?? 0;
}

interface FlakyInput {
  readonly key: string;
  readonly failures: number;
}

df.app.activity('echo', { handler: (input: unknown) => input });
df.app.activity('add', { handler: (input: readonly number[]) => input.reduce((sum, term) => sum + term, 0) });
df.app.activity('boom', {
  handler: (input: unknown) => {
    throw new Error(`boom ${JSON.stringify(input)}`);
  },
});
df.app.activity('flaky', {
  handler: ({ key, failures }: FlakyInput) => {
    const attempt = attemptsOf(key) + 1;
    attempts.set(key, attempt);
    if (attempt <= failures) throw new Error(`attempt ${attempt} of ${key}`);
    return attempt;
  },
});
/** Values that JSON changes (trap 7). */
df.app.activity('oddValues', {
  handler: () => ({
    date: new Date(Date.UTC(2001, 0, 2)),
    map: new Map([['a', 1]]),
    absent: undefined,
    nan: Number.NaN,
  }),
});

df.app.entity('counter', (context: df.EntityContext<number>) => {
  const count = context.df.getState(() => 0) ?? 0;
  switch (context.df.operationName ?? '') {
    case 'add':
      context.df.setState(count + (context.df.getInput<number>() ?? 0));
      return;
    case 'get':
      context.df.return(count);
      return;
    case 'fail':
      throw new Error('the entity refuses');
    case 'delete':
      context.df.destructOnExit();
      return;
    case 'forward':
      context.df.signalEntity(new df.EntityId('counter', 'other'), 'add', count);
      return;
    default:
      throw new Error(`unknown operation ${context.df.operationName}`);
  }
});

const orchestrators: Readonly<Record<string, Orchestrator>> = {
  *chain(context) {
    let value = context.df.getInput<number>() ?? 0;
    for (let step = 0; step < 5; step++) value = (yield context.df.callActivity('echo', value + 1)) as number;
    return value;
  },
  *fanOut(context) {
    const width = context.df.getInput<number>() ?? 0;
    const tasks = Array.from({ length: width }, (_, index) => context.df.callActivity('echo', index));
    const values = (yield context.df.Task.all(tasks)) as number[];
    return yield context.df.callActivity('add', values);
  },
  // oxlint-disable-next-line require-yield -- an orchestrator that does nothing but answer
  *echoInput(context) {
    return { input: context.df.getInput() };
  },
  *echoThrough(context) {
    return yield context.df.callActivity('echo', context.df.getInput());
  },
  *workThenWait(context) {
    const done = yield context.df.callActivity('echo', 'done');
    yield context.df.waitForExternalEvent('go');
    return done;
  },
  *retries(context) {
    const input = context.df.getInput<FlakyInput>();
    const value = yield context.df.callActivityWithRetry('flaky', new df.RetryOptions(1, 3), input);
    const after = yield context.df.callActivity('echo', 'after');
    return { value, after };
  },
  *retriesCaught(context) {
    let message = '';
    try {
      yield context.df.callActivityWithRetry('boom', new df.RetryOptions(1, 2), 7);
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
    }
    const after = yield context.df.callActivity('echo', 'after');
    return { message, after };
  },
  *uncaught(context) {
    yield context.df.callActivity('boom', 'x');
    return 'never';
  },
  *parent(context) {
    const first = yield context.df.callSubOrchestrator('chain', 10);
    const named = yield context.df.callSubOrchestrator('chain', 20, `${context.df.instanceId}-child`);
    return [first, named];
  },
  *parentOfFailing(context) {
    try {
      yield context.df.callSubOrchestrator('uncaught');
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return 'never';
  },
  *parentWithRetry(context) {
    const key = context.df.getInput<string>() ?? '';
    return yield context.df.callSubOrchestratorWithRetry('flakyOnce', new df.RetryOptions(1, 3), {
      key,
      failures: 2,
    });
  },
  *flakyOnce(context) {
    return yield context.df.callActivity('flaky', context.df.getInput());
  },
  *timer(context) {
    const started = context.df.currentUtcDateTime.getTime();
    yield context.df.createTimer(new Date(started + (context.df.getInput<number>() ?? 0)));
    return context.df.currentUtcDateTime.getTime() - started;
  },
  *eventOrTimeout(context) {
    const timeoutMs = context.df.getInput<number>() ?? 0;
    const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + timeoutMs));
    const event = context.df.waitForExternalEvent('go');
    const winner = yield context.df.Task.any([event, timer]);
    if (winner === event) timer.cancel();
    const after = yield context.df.callActivity('echo', 'after');
    return { won: winner === event ? event.result : 'timeout', after };
  },
  *twoEvents(context) {
    const first = yield context.df.waitForExternalEvent('one');
    const second = yield context.df.waitForExternalEvent('two');
    return [first, second];
  },
  *countDown(context) {
    const left = context.df.getInput<number>() ?? 0;
    yield context.df.callActivity('echo', left);
    if (left > 0) context.df.continueAsNew(left - 1);
    return left;
  },
  *collect(context) {
    const seen = context.df.getInput<unknown[]>() ?? [];
    const item = yield context.df.waitForExternalEvent('item');
    if (item === 'end') return seen;
    context.df.continueAsNew([...seen, item]);
    return undefined;
  },
  *waitsThenWaits(context) {
    const { wanted } = context.df.getInput<{ wanted: string }>() ?? { wanted: 'a' };
    const value = yield context.df.waitForExternalEvent(wanted);
    if (wanted === 'b') return value;
    context.df.continueAsNew({ wanted: 'b' });
    return undefined;
  },
  *status(context) {
    context.df.setCustomStatus({ step: 1 });
    yield context.df.waitForExternalEvent('next');
    context.df.setCustomStatus('x'.repeat(context.df.getInput<number>() ?? 1));
    yield context.df.waitForExternalEvent('next');
    return 'done';
  },
  *entities(context) {
    const id = new df.EntityId('counter', context.df.getInput<string>() ?? 'k');
    context.df.signalEntity(id, 'add', 2);
    context.df.signalEntity(id, 'add', 3);
    const before = yield context.df.callEntity(id, 'get');
    yield context.df.callEntity(id, 'add', 5);
    const after = yield context.df.callEntity(id, 'get');
    let refused = false;
    try {
      yield context.df.callEntity(id, 'fail');
    } catch {
      refused = true;
    }
    return { before, after, refused };
  },
  *guids(context) {
    const guids = [context.df.newGuid('a'), context.df.newGuid('a')];
    yield context.df.callActivity('echo', guids);
    return new Set(guids).size;
  },
};

for (const [name, handler] of Object.entries(orchestrators))
  df.app.orchestration(name, handler as df.OrchestrationHandler);
