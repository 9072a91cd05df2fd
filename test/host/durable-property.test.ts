import { evaluate, programs, type Program } from '../support/durable/program.ts';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { createDurableExtension, type DurableExtension } from '../../local/durable/engine.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { callRegistered, registeredDurableFunctions } from '../support/durable/core.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'durable-property-'));
let files = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(
  file: string,
  verifyReplay: boolean,
  invoke: (db: DatabaseSync, name: string, input: string) => Promise<unknown>,
): DurableExtension {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  return createDurableExtension(
    {
      db,
      clock: systemClock,
      ids: systemIds,
      log: silentLogger,
      baseUrl: () => 'http://localhost',
      functions: registeredDurableFunctions(),
      invoke: (name, input) => invoke(db, name, input),
    },
    { hubName: 'PropertyHub', systemKey: 'k', settings: {}, verifyReplay },
  );
}

async function post(extension: DurableExtension, path: string, body: unknown): Promise<number> {
  const query = new URLSearchParams();
  const headers = { 'content-type': 'application/json' };
  const request = {
    method: 'POST',
    path,
    query,
    headers,
    body: Buffer.from(JSON.stringify(body)),
    isTrusted: true,
  };
  return (await extension.handle(request)).status;
}

async function startProgram(extension: DurableExtension, program: Program): Promise<void> {
  expect(await post(extension, 'orchestrators/program/p', program)).toBe(202);
  const heard = { a: 0, b: 0 };
  for (const step of program)
    if (step.op === 'event')
      expect(
        await post(extension, `instances/p/raiseEvent/${step.name}`, `${step.name}${heard[step.name]++}`),
      ).toBe(202);
}

async function resultOf(extension: DurableExtension, isDead: () => boolean): Promise<unknown> {
  const request = {
    method: 'GET',
    path: 'instances/p',
    query: new URLSearchParams(),
    body: Buffer.alloc(0),
    isTrusted: true,
  };
  const ask = () => extension.handle(request);
  return until(
    async () => {
      if (isDead()) return 'dead';
      const { status, body } = await ask();
      if (status !== 200) return undefined;
      const { runtimeStatus, output } = JSON.parse(body) as { runtimeStatus: string; output: unknown };
      return runtimeStatus === 'Completed' ? output : { runtimeStatus, output };
    },
    async () => (await ask()).body,
  );
}

async function runProgram(program: Program, verifyReplay: boolean): Promise<unknown> {
  const extension = open(join(folder, `${files++}.db`), verifyReplay, (_db, name, input) =>
    callRegistered(name, input),
  );
  await extension.start();
  await startProgram(extension, program);
  const result = await resultOf(extension, () => false);
  await extension.stop();
  return result;
}

/** Runs until the n-th call of a function and dies there: before the call, or after it with the result lost. */
async function runWithCrashes(
  program: Program,
  crashes: readonly number[],
  verifyReplay: boolean,
): Promise<unknown> {
  const file = join(folder, `${files++}.db`);
  let isStarted = false;
  for (const crash of [...crashes, Number.POSITIVE_INFINITY]) {
    let calls = 0;
    let isDead = false;
    const extension = open(file, verifyReplay, async (db, name, input) => {
      if (isDead) throw new Error('the process is dead');
      const isLast = ++calls > crash;
      if (isLast && crash % 2 === 1) await callRegistered(name, input).catch(() => undefined);
      if (!isLast) return callRegistered(name, input);
      isDead = true;
      db.close();
      throw new Error('the process is dead');
    });
    await extension.start();
    if (!isStarted) await startProgram(extension, program);
    isStarted = true;
    const result = await resultOf(extension, () => isDead);
    void extension.stop();
    if (result !== 'dead') return result;
  }
  return 'dead';
}

describe('any program of sequences, all, any, timers, events, entities and sub-orchestrations', () => {
  test.each([
    { mode: 'in batched turns', verifyReplay: false },
    { mode: 'under forced full replay', verifyReplay: true },
  ])('gives its result $mode', async ({ verifyReplay }) => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        expect(await runProgram(program, verifyReplay)).toEqual(evaluate(program));
      }),
      { numRuns: 60 },
    );
  });

  test.each([false, true])('gives the same result across crashes (full replay: %s)', async (verifyReplay) => {
    const moments = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(programs, moments, async (program, crashes) => {
        expect(await runWithCrashes(program, crashes, verifyReplay)).toEqual(evaluate(program));
      }),
      { numRuns: 40 },
    );
  });
});
