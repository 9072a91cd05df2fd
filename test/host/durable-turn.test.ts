import { describe, expect, test } from 'vitest';
import { requireHubName } from '../../local/durable/identity.ts';
import type { Action, Decision, HistoryEvent } from '../../local/durable/model.ts';
import { nextRetryDelayMs } from '../../local/durable/turn/retry.ts';
import { readDurableSettings } from '../../local/durable/settings.ts';
import { takeBatch } from '../../local/durable/turn/turn-batch.ts';
import { decideTurn, type TurnOutcome } from '../../local/durable/turn/turn.ts';

/** The turn alone, with decisions and histories written from the framework's rules. */

const atMs = 1000;
const started: readonly HistoryEvent[] = [
  { type: 'orchestratorStarted', atMs },
  { type: 'executionStarted', atMs, name: 'o', input: null },
];

function replied(
  actions: readonly Action[],
  more: Partial<Extract<Decision, { kind: 'replied' }>> = {},
): Decision {
  return { kind: 'replied', isDone: false, actions, output: null, customStatus: null, error: null, ...more };
}

function decide(decision: Decision, history: readonly HistoryEvent[] = started): TurnOutcome {
  return decideTurn({
    instanceId: 'i',
    executionId: 'x',
    parentInstanceId: 'p',
    orchestrator: 'o',
    maxShortTimerMs: 6000,
    longTimerIntervalMs: 3000,
    maxActions: 5,
    maxCustomStatusBytes: 100,
    whyUnknown: (_kind, name) => (name === 'missing' ? `no ${name}` : null),
    history,
    decision,
    nowMs: atMs,
  });
}

const activity = (name: string): Action => ({ type: 'callActivity', name, input: '1' });
const retry = {
  firstIntervalMs: 10,
  maxAttempts: 2,
  backoffCoefficient: 3,
  maxIntervalMs: 25,
  timeoutMs: Infinity,
};
const scheduled = (id: number, name: string): HistoryEvent => ({ type: 'taskScheduled', atMs, id, name });
const failed = (taskId: number): HistoryEvent => ({
  type: 'taskFailed',
  atMs,
  taskId,
  reason: 'r',
  details: 'd',
});
const succeeded = (taskId: number): HistoryEvent => ({ type: 'taskCompleted', atMs, taskId, result: '1' });

describe('ids and order', () => {
  test('actions wait for each other; only the first is scheduled', () => {
    const { effects, events, end } = decide(replied([activity('a'), activity('b')]));
    expect(effects).toEqual([{ type: 'scheduleActivity', id: 0, name: 'a', input: '1' }]);
    expect(events.map(({ type }) => type)).toEqual(['taskScheduled', 'orchestratorCompleted']);
    expect(end).toEqual({ kind: 'waiting', openCount: 1, isStuck: false });
  });

  test('the second is scheduled once the history has the answer to the first', () => {
    const history = [...started, scheduled(0, 'a'), succeeded(0)];
    expect(decide(replied([activity('a'), activity('b')]), history).effects).toEqual([
      { type: 'scheduleActivity', id: 1, name: 'b', input: '1' },
    ]);
  });

  test('signals have ids and are not awaited; external events have no ids', () => {
    const signal: Action = { type: 'signalEntity', entityId: '@e@k', operation: 'op', input: null };
    const { effects } = decide(
      replied([
        signal,
        { type: 'whenAny', actions: [{ type: 'waitForExternalEvent', name: 'e' }, activity('a')] },
      ]),
    );
    expect(effects.map(({ type, id }) => [type, id])).toEqual([
      ['sendToEntity', 0],
      ['scheduleActivity', 1],
    ]);
  });

  test('whenAll waits for every child, also after a failure', () => {
    const both: Action = { type: 'whenAll', actions: [activity('a'), activity('b')] };
    const history = [...started, scheduled(0, 'a'), scheduled(1, 'b'), failed(0)];
    expect(decide(replied([both, activity('c')]), history).effects).toEqual([]);
    expect(decide(replied([both, activity('c')]), [...history, succeeded(1)]).effects).toHaveLength(1);
  });

  test('a second answer to the same task has no effect', () => {
    const history = [...started, scheduled(0, 'a'), succeeded(0), failed(0)];
    expect(decide(replied([activity('a')], { isDone: true, output: '5' }), history).end).toEqual({
      kind: 'completed',
      output: '5',
    });
  });
});

describe('retries', () => {
  const retried: Action = { type: 'callActivity', name: 'a', input: '1', retry };

  test('attempt, timer, attempt, timer, and only then the next action', () => {
    const actions = [retried, activity('next')];
    let history: HistoryEvent[] = [...started];
    const seen: unknown[] = [];
    for (let id = 0; id < 5; id++) {
      const [effect] = decide(replied(actions), history).effects;
      if (effect === undefined) throw new Error(`nothing was scheduled at ${id}`);
      seen.push(
        effect.type === 'createTimer' ? effect.fireAtMs - atMs : 'name' in effect ? effect.name : effect.type,
      );
      if (effect.type === 'createTimer') {
        const { fireAtMs } = effect;
        history.push(
          { type: 'timerCreated', atMs, id, fireAtMs },
          { type: 'timerFired', atMs, timerId: id, fireAtMs },
        );
      } else {
        history.push(scheduled(id, 'name' in effect ? effect.name : ''), failed(id));
      }
    }
    expect(seen).toEqual(['a', 10, 'a', 25, 'next']);
  });

  test('delays grow by the coefficient up to the maximum, and end with the timeout', () => {
    expect([0, 1, 2].map((n) => nextRetryDelayMs(retry, n, 0))).toEqual([10, 25, 25]);
    expect(nextRetryDelayMs({ ...retry, timeoutMs: 50 }, 0, 49)).toBe(10);
    expect(nextRetryDelayMs({ ...retry, timeoutMs: 50 }, 0, 50)).toBe(0);
    expect(nextRetryDelayMs({ ...retry, firstIntervalMs: 1, backoffCoefficient: 1.5 }, 1, 0)).toBe(2);
  });
});

describe('ends', () => {
  test('an orchestration with open tasks does not end, as in Azure', () => {
    const any: Action = { type: 'whenAny', actions: [activity('a'), activity('b')] };
    const history = [...started, scheduled(0, 'a'), scheduled(1, 'b'), succeeded(0)];
    const decision = replied([any], { isDone: true, output: '1' });
    expect(decide(decision, history).end).toMatchObject({ kind: 'waiting', openCount: 1, isStuck: false });
    expect(decide(decision, [...history, succeeded(1)]).end.kind).toBe('completed');
  });

  test('a canceled timer is not open', () => {
    const timer: Action = { type: 'createTimer', fireAtMs: atMs + 50, isCanceled: true };
    const history: HistoryEvent[] = [...started, { type: 'timerCreated', atMs, id: 0, fireAtMs: atMs + 50 }];
    const { end, effects } = decide(replied([timer], { isDone: true }), history);
    expect(end.kind).toBe('completed');
    expect(effects).toEqual([{ type: 'cancelTimer', id: 0 }]);
  });

  test('an orchestration that waits for nothing is stuck', () => {
    const history = [...started, scheduled(0, 'a'), succeeded(0)];
    expect(decide(replied([activity('a')]), history).end).toMatchObject({ kind: 'waiting', isStuck: true });
  });

  test('events after continueAsNew are carried over, those before it are not', () => {
    const raised = (name: string): HistoryEvent => ({ type: 'eventRaised', atMs, name, input: null });
    const history = [...started, raised('other'), raised('e'), raised('late')];
    const actions: Action[] = [
      { type: 'waitForExternalEvent', name: 'E' },
      { type: 'continueAsNew', input: '2' },
    ];
    expect(decide(replied(actions, { isDone: true }), history).end).toEqual({
      kind: 'continuedAsNew',
      input: '2',
      carried: [raised('late')],
    });
  });

  test.each([
    ['an unknown function', [activity('missing')], 'no missing'],
    [
      'a child with the id of its parent',
      [{ type: 'callSubOrchestrator', name: 's', instanceId: 'P', input: '1' } as const],
      'The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration.',
    ],
    [
      'too many actions',
      [{ type: 'whenAll', actions: Array.from({ length: 6 }, () => activity('a')) } as const],
      'Maximum amount of orchestration actions (5) has been reached. This value can be configured in host.json file as MaxOrchestrationActions.',
    ],
  ])('%s fails the orchestration', (_name, actions, message) => {
    expect(decide(replied(actions)).end).toMatchObject({
      kind: 'failed',
      output: `Orchestrator function 'o' failed: ${message}`,
    });
  });

  test.each([
    ['nothing', [] as readonly Action[], "hasn't (yet?) scheduled this task"],
    [
      'a timer',
      [{ type: 'createTimer', fireAtMs: 1, isCanceled: false } as const],
      'instead produced a createTimer action',
    ],
    ['another function', [activity('b')], "instead scheduled 'b'"],
  ])('history says activity a, the code now schedules %s', (_name, actions, message) => {
    const { end, effects } = decide(replied(actions), [...started, scheduled(0, 'a')]);
    expect(end.kind === 'failed' && end.output).toContain(
      'Non-Deterministic workflow detected: A previous execution',
    );
    expect(end.kind === 'failed' && end.output).toContain(message);
    expect(effects).toEqual([]);
  });
});

describe('the messages of a turn', () => {
  const message = (seq: number, event: object, executionId: string | null = null): never =>
    ({ seq, executionId, event: { atMs, ...event } }) as never;
  const event = (seq: number): never => message(seq, { type: 'eventRaised', name: 'e', input: null });
  const running = { executionId: 'x', isSuspended: false };
  const seqs = (batch: ReturnType<typeof takeBatch>): readonly number[] =>
    batch.consumed.map(({ seq }) => seq);

  test('answers to another execution are consumed and dropped', () => {
    const stale = message(2, { type: 'timerFired', timerId: 0, fireAtMs: 1 }, 'old');
    const batch = takeBatch(running, [event(1), stale, event(3)], 10);
    expect(seqs(batch)).toEqual([1, 2, 3]);
    expect(batch.events).toHaveLength(2);
  });

  test('suspended: everything but commands stays; resumed: everything arrives in order', () => {
    const suspend = message(2, { type: 'executionSuspended', reason: null });
    const resume = message(4, { type: 'executionResumed', reason: null });
    const held = takeBatch(running, [event(1), suspend, event(3)], 10);
    expect([seqs(held), held.isSuspended]).toEqual([[2], true]);
    const all = takeBatch({ ...running, isSuspended: true }, [event(1), event(3), resume], 10);
    expect([seqs(all), all.isSuspended]).toEqual([[1, 3, 4], false]);
  });

  test('one event at a time, plus commands', () => {
    const stop = message(9, { type: 'executionTerminated', reason: 'r' });
    const batch = takeBatch(running, [event(1), event(2), stop], 1);
    expect([seqs(batch), batch.termination]).toEqual([[1, 9], { reason: 'r' }]);
  });
});

describe('configuration', () => {
  test.each(['ab', '1abc', 'a-b', 'a b', '', 'x'.repeat(46)])(
    'trap 8: task hub name "%s" is refused',
    (name) => {
      expect(() => requireHubName(name)).toThrow('between 3 and 45');
    },
  );

  test.each(['abc', 'Slipway1', 'x'.repeat(45)])('trap 8: task hub name "%s" is accepted', (name) => {
    expect(() => requireHubName(name)).not.toThrow();
  });

  test('host.json: all faults are named at once', () => {
    const faulty = { maxConcurrentActivityFunctions: 0, overridableExistingInstanceStates: 'Some' };
    expect(() => readDurableSettings(faulty)).toThrow(
      /overridableExistingInstanceStates.*maxConcurrentActivityFunctions/,
    );
    expect(readDurableSettings({ maxConcurrentActivityFunctions: 3 }).maxConcurrentActivityFunctions).toBe(3);
  });
});
