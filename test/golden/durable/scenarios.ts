/**
 * Runs fixed scenarios with a fixed clock and fixed ids, and records every message between the engine and the real
 * SDK. `generate.ts` writes the recordings; `durable-golden.test.ts` compares.
 */
import '../../support/durable/apps.ts';
import { callRegistered, registeredDurableFunctions } from '../../support/durable/core.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { createDurableExtension, type DurableExtension } from '../../../local/durable/engine.ts';
import type { DurableHttpResponse } from '../../../local/durable/http/types.ts';
import { DatabaseSync } from 'node:sqlite';

export interface Recording {
  /** Each call of an orchestrator or entity: the trigger that the SDK receives, and the SDK's answer. */
  readonly calls: readonly {
    readonly function: string;
    readonly trigger: unknown;
    readonly reply: unknown;
  }[];
  readonly http: readonly {
    readonly request: string;
    readonly status: number;
    readonly headers: unknown;
    readonly body: unknown;
  }[];
  readonly clientBinding: unknown;
}

interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Moves the clock before the request. */
  readonly advanceMs?: number;
}

const status = (id: string): Step => ({
  method: 'GET',
  path: `instances/${id}?showHistory=true&showHistoryOutput=true`,
});
const start = (name: string, id: string, body?: unknown): Step => ({
  method: 'POST',
  path: `orchestrators/${name}/${id}`,
  body,
});

export const scenarios: Readonly<Record<string, readonly Step[]>> = {
  'activity-chain': [start('echoThrough', 'chain-1', { a: 1 }), status('chain-1')],
  'fan-out': [start('fanOut', 'fan-1', 3), status('fan-1')],
  'failing-activity': [start('uncaught', 'fail-1'), status('fail-1')],
  'sub-orchestration': [start('parentOfFailing', 'parent-1'), status('parent-1')],
  'event-or-timeout': [
    start('eventOrTimeout', 'event-1', 5000),
    { method: 'POST', path: 'instances/event-1/raiseEvent/go', body: { yes: true }, advanceMs: 1000 },
    status('event-1'),
    start('eventOrTimeout', 'timeout-1', 5000),
    { ...status('timeout-1'), advanceMs: 5000 },
  ],
  'continue-as-new': [start('countDown', 'count-1', 1), status('count-1')],
  'custom-status': [start('status', 'status-1', 3), status('status-1')],
  entities: [
    start('entities', 'entities-1', 'k'),
    { method: 'GET', path: 'entities/counter/k' },
    { method: 'POST', path: 'entities/counter/k?op=add', body: 7 },
    { method: 'GET', path: 'entities?fetchState=true' },
    status('entities-1'),
  ],
  retries: [
    start('retriesCaught', 'retry-1'),
    { ...status('retry-1'), advanceMs: 1 },
    { ...status('retry-1'), advanceMs: 1 },
  ],
  management: [
    start('twoEvents', 'managed-1'),
    { method: 'POST', path: 'instances/managed-1/suspend?reason=pause' },
    status('managed-1'),
    { method: 'POST', path: 'instances/managed-1/resume?reason=go' },
    { method: 'POST', path: 'instances/managed-1/terminate?reason=enough' },
    status('managed-1'),
    { method: 'POST', path: 'instances/managed-1/terminate?reason=again' },
    { method: 'GET', path: 'instances?runtimeStatus=Terminated' },
    { method: 'DELETE', path: 'instances/managed-1' },
    { method: 'GET', path: 'instances/managed-1' },
  ],
};

export async function record(steps: readonly Step[]): Promise<Recording> {
  const db = new DatabaseSync(':memory:');
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const calls: { function: string; trigger: unknown; reply: unknown }[] = [];
  const http: Recording['http'][number][] = [];
  let uuids = 0;
  let busy = 0;
  const invoke = async (name: string, input: string): Promise<unknown> => {
    busy++;
    try {
      const reply = await callRegistered(name, input).catch((error: unknown) => {
        if (isTrigger(input))
          calls.push({ function: name, trigger: JSON.parse(input), reply: { thrown: String(error) } });
        throw error;
      });
      if (isTrigger(input)) calls.push({ function: name, trigger: JSON.parse(input), reply });
      return reply;
    } finally {
      busy--;
    }
  };
  const extension = createDurableExtension(
    {
      db,
      clock,
      ids: { uuid: () => `00000000-0000-4000-8000-${String(uuids++).padStart(12, '0')}`, random: () => 0 },
      log: { log: () => undefined },
      baseUrl: () => 'http://localhost:7071',
      functions: registeredDurableFunctions(),
      invoke,
    },
    { hubName: 'GoldenHub', systemKey: 'golden', settings: {} },
  );
  await extension.start();
  for (const step of steps) {
    clock.advance(step.advanceMs ?? 0);
    await untilIdle(() => busy === 0);
    const { method, path, body } = step;
    const answer = await send(extension, method, path, body);
    http.push({ request: `${method} ${path}`, ...readable(answer) });
    await untilIdle(() => busy === 0);
  }
  const clientBinding = JSON.parse(extension.clientBinding()) as unknown;
  await extension.stop();
  db.close();
  return { calls: calls.map(withoutDurations), http, clientBinding };
}

/** The engine has settled once nothing has run for some turns of the event loop; nothing here waits for real time. */
async function untilIdle(isIdle: () => boolean): Promise<void> {
  for (let quiet = 0; quiet < 40; quiet = isIdle() ? quiet + 1 : 0)
    await new Promise((resolve) => setImmediate(resolve));
}

function send(
  extension: DurableExtension,
  method: string,
  path: string,
  body: unknown,
): Promise<DurableHttpResponse> {
  const [route = '', query = ''] = path.split('?');
  return extension.handle({
    method,
    path: route,
    query: new URLSearchParams(query),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    isTrusted: true,
  });
}

function readable(answer: DurableHttpResponse): { status: number; headers: unknown; body: unknown } {
  const body = answer.body === '' ? null : (JSON.parse(answer.body) as unknown);
  return { status: answer.status, headers: answer.headers, body };
}

function isTrigger(input: string): boolean {
  return input.startsWith('{"history"') || input.startsWith('{"self"');
}

/** The SDK measures entity operations with the real clock; the engine ignores these times. */
function withoutDurations<Call extends { readonly reply: unknown }>(call: Call): Call {
  const text = JSON.stringify(call.reply, (key, value: unknown) =>
    ['duration', 'startTime', 'requestTime'].includes(key) ? 0 : value,
  );
  return { ...call, reply: JSON.parse(text) as unknown };
}
