import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonCodec } from '../../local/durable/wire/json-codec.ts';
import { record, scenarios } from '../golden/durable/scenarios.ts';

const folder = join(import.meta.dirname, '../golden/durable');

describe('trap 22: messages between the engine and the SDK', () => {
  test('every scenario has a recording, and every recording a scenario', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(files.sort()).toEqual(
      Object.keys(scenarios)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  test.each(Object.entries(scenarios))('%s matches its recording', async (name, steps) => {
    const golden: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    expect(JSON.parse(JSON.stringify(await record(steps)))).toEqual(golden);
  });
});

// Written by hand from the extension's sources, as an independent check of the recordings above.
describe('trap 22: the wire format, derived from the sources', () => {
  const atMs = Date.UTC(2026, 0, 1);
  const head = (EventType: number, EventId = -1): object => ({
    EventType,
    EventId,
    IsPlayed: true,
    Timestamp: '2026-01-01T00:00:00.000Z',
  });

  test.each([
    [{ type: 'orchestratorStarted', atMs } as const, head(12)],
    [{ type: 'orchestratorCompleted', atMs } as const, head(13)],
    [
      { type: 'executionStarted', atMs, name: 'f', input: '{"a":1}' } as const,
      { ...head(0), Name: 'f', Input: '{"a":1}', Version: '' },
    ],
    [
      { type: 'taskScheduled', atMs, id: 3, name: 'a' } as const,
      { ...head(4, 3), Name: 'a', Version: '', Input: null },
    ],
    [
      { type: 'taskCompleted', atMs, taskId: 3, result: '"x"' } as const,
      { ...head(5), TaskScheduledId: 3, Result: '"x"' },
    ],
    [
      { type: 'taskFailed', atMs, taskId: 3, reason: 'r', details: 'd' } as const,
      { ...head(6), TaskScheduledId: 3, Reason: 'r', Details: 'd', FailureDetails: null },
    ],
    [
      { type: 'subOrchestrationCreated', atMs, id: 4, name: 'o', instanceId: 'i' } as const,
      { ...head(7, 4), Name: 'o', InstanceId: 'i', Version: '', Input: null },
    ],
    [
      { type: 'subOrchestrationCompleted', atMs, taskId: 4, result: null } as const,
      { ...head(8), TaskScheduledId: 4, Result: null },
    ],
    [
      { type: 'subOrchestrationFailed', atMs, taskId: 4, reason: 'r', details: 'd' } as const,
      { ...head(9), TaskScheduledId: 4, Reason: 'r', Details: 'd', FailureDetails: null },
    ],
    [
      { type: 'timerCreated', atMs, id: 5, fireAtMs: atMs + 1 } as const,
      { ...head(10, 5), FireAt: '2026-01-01T00:00:00.001Z' },
    ],
    [
      { type: 'timerFired', atMs, timerId: 5, fireAtMs: atMs + 1 } as const,
      { ...head(11), TimerId: 5, FireAt: '2026-01-01T00:00:00.001Z' },
    ],
    [{ type: 'eventRaised', atMs, name: 'e', input: '1' } as const, { ...head(15), Name: 'e', Input: '1' }],
    [
      {
        type: 'eventSent',
        atMs,
        id: 6,
        entityId: '@e@k',
        request: { id: 'g', operation: 'op1', input: '1', isSignal: true, parentInstanceId: 'p' },
      } as const,
      {
        ...head(14, 6),
        InstanceId: '@e@k',
        Name: 'op',
        Input: '{"op":"op1","signal":true,"input":"1","id":"g","parent":"p"}',
      },
    ],
  ])('%o', (event, expected) => {
    expect(JSON.parse(jsonCodec.encodeHistory([event], true))).toEqual(expected);
  });

  test('an entity trigger and its reply', () => {
    const request = { id: 'g', operation: 'add', input: '1', isSignal: false };
    const trigger = jsonCodec.encodeEntityTrigger({
      name: 'c',
      key: 'k',
      exists: true,
      state: '2',
      batch: [request],
    });
    expect(JSON.parse(trigger)).toEqual({
      self: { name: 'c', key: 'k' },
      exists: true,
      state: '2',
      batch: [{ name: 'add', input: '1', isSignal: false, id: 'g' }],
    });
    const reply = {
      entityExists: true,
      entityState: '3',
      results: [{ isError: false, duration: 1, result: '3' }],
      signals: [{ target: { name: 'Other', key: 'K' }, name: 'add', input: '' }],
    };
    expect(jsonCodec.decodeEntityReply(reply, 1)).toEqual({
      exists: true,
      state: '3',
      results: [{ isError: false, result: '3' }],
      signals: [{ entityId: '@other@K', operation: 'add', input: null }],
    });
    expect(() => jsonCodec.decodeEntityReply(reply, 2)).toThrow(
      '2 operations were sent and 1 results came back',
    );
    expect(jsonCodec.encodeEntityResponse({ isError: true, result: '"no"' })).toBe(
      '{"result":"\\"no\\"","exceptionType":"Error"}',
    );
  });

  test('a failure carries its state in its message', () => {
    const state = { isDone: false, actions: [[]], error: 'boom', schemaVersion: 2 };
    const error = new Error(`false\n\n$OutOfProcData$:${JSON.stringify(state)}`);
    expect(jsonCodec.decodeOrchestratorError(error)).toMatchObject({
      kind: 'replied',
      error: 'boom',
      actions: [],
    });
    expect(jsonCodec.decodeOrchestratorError(new Error('plain'))).toEqual({
      kind: 'threw',
      message: 'plain',
    });
  });

  test.each([
    ['no object', 5],
    ['an unknown action', { actions: [[{ actionType: 99 }]], schemaVersion: 2 }],
    ['another schema', { actions: [[]], schemaVersion: 7 }],
    ['two lists', { actions: [[], []], schemaVersion: 2 }],
    ['callHttp', { actions: [[{ actionType: 8 }]], schemaVersion: 2 }],
    ['locks', { actions: [[{ actionType: 13 }]], schemaVersion: 2 }],
    ['a timer without a time', { actions: [[{ actionType: 5, fireAt: 'soon' }]], schemaVersion: 2 }],
  ])('a reply with %s is refused', (_name, reply) => {
    expect(() => jsonCodec.decodeOrchestratorReply(reply)).toThrow('Malformed durable reply');
  });
});
