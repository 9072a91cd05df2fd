import type { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleOf } from '../../../shared/api/http/openapi-example.ts';
import { isAppError } from '../../../shared/core/errors.ts';
import { toFaults } from '../../../shared/core/faults.ts';
import type { JsonObject, JsonValue } from '../../../shared/core/json/json.ts';
import { type JsonSchema, schemasAt, toJsonSchema } from '../../../shared/core/json/json-schema.ts';
import { findMisfit } from '../../../shared/core/json/json-schema-fit.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { steps } from '../../../shared/domains/pipelines/catalog.ts';
import { runCancelled } from '../../../shared/domains/pipelines/heartbeat.ts';
import { planFormat } from '../../../shared/domains/pipelines/plan.ts';
import { RunStore } from '../../../shared/domains/pipelines/run-store.ts';
import type { Step } from '../../../shared/domains/pipelines/step.ts';
import type { StepServices } from '../../../shared/domains/pipelines/steps/services.ts';
import { modelBlob } from '../../../shared/domains/registry/trained-version.ts';
import { CallWatch, type ServiceCall } from '../../support/pipelines/watch-services.ts';
import { type Contents, openStepBench, type StepBench } from '../../support/pipelines/step-bench.ts';
import { once } from '../../support/pipelines/plans.ts';
import { system } from '../../support/stores.ts';

/**
 * The contract of every kind of step.
 */
type StepKind = keyof typeof steps;

interface Fixture {
  readonly params: JsonObject;
  readonly input: Readonly<Record<string, JsonValue>>;
}

/** Two fixtures of one name differ in content and share their dataset or model. */
type Variant = 0 | 1;

/**
 * Parameters and inputs for which the step succeeds, with objects named after `name`, which no other test uses. A kind
 * without a fixture gets an example of its parameters, and as inputs the outputs of kinds that fit.
 */
const fixtures: { readonly [Kind in StepKind]?: (name: string, variant: Variant) => Promise<Fixture> } = {
  'stage-file': async (name, variant) => ({ params: { source: await land(name, variant) }, input: {} }),
  'train-model': async (name, variant) => {
    await commit(name);
    return {
      params: { dataset: name, version: 0, model: name, training: trainings[variant] },
      input: {},
    };
  },
  'record-run': async (name, variant) => ({ params: {}, input: { trained: await train(name, variant) } }),
  'register-model': async (name, variant) => ({ params: {}, input: { trained: await train(name, variant) } }),
  'deploy-model': async (name, variant) => {
    const registration = await createFixture('register-model', name, variant);
    const registered = await run('register-model', registration, `${name}-${variant}`);
    return { params: { gate: { metric: 'aucScore', atLeast: 0.5 } }, input: { registered } };
  },
};

const kinds = Object.keys(steps) as StepKind[];

const training = {
  features: [{ column: 'hour', kind: 'numeric' }],
  label: { column: 'delay', op: '>=', value: 15 },
  trainer: { name: 'logistic' },
};
const trainings = [training, { ...training, seed: 1, label: { ...training.label, value: 20 } }] as const;

let bench: StepBench;
beforeAll(async () => {
  bench = await openStepBench();
});
afterAll(() => bench.close());

describe.each(kinds)('the step %s', (kind) => {
  const step: Step<StepServices> = steps[kind];

  test('has parameters that are closed at every depth, and described schemas', () => {
    expect(findOpen(toJsonSchema(step.params, 'input'), 'params')).toEqual([]);
    for (const schema of [...Object.values(step.input), step.output]) {
      const { type, anyOf } = toJsonSchema(schema, 'output');
      expect(type ?? anyOf).toBeDefined();
    }
  });

  test('refuses and names an unknown key at every depth of its parameters', async () => {
    const { params } = await createFixture(kind, `${kind}-strict`);
    expect(step.params.safeParse(params).error).toBeUndefined();
    for (const path of pathsOfObjects(params, toJsonSchema(step.params, 'input'))) {
      const changed = structuredClone(params);
      (path.reduce<unknown>((at, key) => (at as JsonObject)[key], changed) as Record<string, unknown>)[
        'unknownKey'
      ] = 1;
      const { error } = step.params.safeParse(changed);
      const faults = toFaults(step.params, changed, error?.issues ?? []);
      expect(faults).toContainEqual(expect.objectContaining({ path: [...path, 'unknownKey'] }));
    }
  });

  test('is idempotent: the second call returns the same output and changes nothing', async () => {
    const name = `${kind}-twice`;
    const fixture = await createFixture(kind, name);
    const output = await run(kind, fixture, name);
    const after = await bench.contents();
    expect(await run(kind, fixture, name)).toEqual(output);
    expect(await bench.contents()).toEqual(after);
  });

  test('works twice in one run, under two names, as in two runs', async () => {
    const leave = async (name: string, [first, second]: readonly [Instance, Instance]) => {
      const fixtures = [await createFixture(kind, name, 0), await createFixture(kind, name, 1)] as const;
      const before = await bench.contents();
      const outputs = [
        await run(kind, fixtures[0], first.run, first),
        await run(kind, fixtures[1], second.run, second),
      ];
      const after = await bench.contents();
      // In the order of the first calls and against it, as deliveries come.
      expect(await run(kind, fixtures[0], first.run, first)).toEqual(outputs[0]);
      expect(await bench.contents()).toEqual(after);
      expect(await run(kind, fixtures[1], second.run, second)).toEqual(outputs[1]);
      expect(await bench.contents()).toEqual(after);
      expect(outputs[0]).not.toEqual(outputs[1]);
      return countNew(before, after);
    };
    const apart = `${kind}-apart`;
    const together = `${kind}-together`;
    expect(
      await leave(together, [
        { run: together, step: 'b' },
        { run: together, step: 'a' },
      ]),
    ).toEqual(
      await leave(apart, [
        { run: `${apart}-1`, step: 'it' },
        { run: `${apart}-2`, step: 'it' },
      ]),
    );
  });

  test('returns an output that fits its schema and the history', async () => {
    const name = `${kind}-output`;
    const fixture = await createFixture(kind, name);
    const output = await run(kind, fixture, name);
    expect(step.output.parse(output)).toEqual(output);
    expect(JSON.stringify(output).length).toBeLessThanOrEqual(8 * 1024);
    const narrow = step.narrowOutput?.(step.params.parse(fixture.params), step.input);
    if (narrow) expect(narrow.safeParse(output).error).toBeUndefined();
  });

  test('does nothing in a cancelled run', async () => {
    const name = `${kind}-cancelled`;
    const { params, input } = await createFixture(kind, name);
    const { metadata } = bench.app.platform;
    const store = new RunStore({ store: metadata, ...system });
    const planned = { name: 'it', uses: kind, with: params, input: {}, needs: [], retry: once };
    await store.createRun({
      runId: `run-${name}`,
      pipeline: 'p',
      plan: { format: planFormat, pipeline: 'p', params: {}, steps: [planned] },
      cause: {},
      codeVersion: 'test',
      status: 'cancelled',
      createdAt: 1,
      endedAt: 2,
    });
    const before = await bench.contents();
    const call = { runId: `run-${name}`, step: 'it', attempt: 1, input };
    expect(await bench.app.pipelines.runStep(call, silentLogger)).toMatchObject({
      ok: false,
      error: { code: 'CANCELLED', retry: false },
    });
    expect(await bench.contents()).toEqual(before);
  });

  test('stops when cancelled before its first write, and writes nothing afterwards', async () => {
    const { calls } = await trace(kind);
    for (let at = -1; at < calls.length; at += 1) {
      const begun = calls.slice(0, at + 1);
      // A step that others can see part of completes; the last write may complete, too.
      if (begun.some(({ writes }) => writes.visible > 0)) break;
      if (!calls.slice(at + 1).some(hasWrites)) break;
      const name = `${kind}-before-${at + 1}`;
      const fixture = await createFixture(kind, name);
      const before = await bench.contents();
      const { outcome, calls: made } = await cancelAt(kind, fixture, name, at);
      const place = `cancelled at call ${at} of ${calls.map(({ path }) => path).join(', ')}`;
      expect(isAppError(outcome, 'CANCELLED'), `${place}: ${String(outcome)}`).toBe(true);
      expect(made.slice(at + 1).filter(hasWrites), place).toEqual([]);
      const after = await bench.contents();
      expect(after.documents, place).toEqual(before.documents);
      expect(after.messages, place).toEqual(before.messages);
      if (!begun.some(hasWrites)) expect(after.blobs, place).toEqual(before.blobs);
    }
  });

  test('makes its effect visible in one call, the last that writes', async () => {
    const writing = (await trace(kind)).calls.filter(hasWrites);
    const early = writing.slice(0, -1).filter(({ writes }) => writes.visible > 0);
    expect(early.length > 0, early.map(({ path }) => path).join(', ')).toBe(completing.has(kind));
  });

  test('ends when cancelled at any write, exposes no partial result, and can be repeated', async () => {
    const { writes } = await trace(kind);
    for (const at of new Set([1, Math.ceil(writes / 2), writes])) {
      const name = `${kind}-during-${at}`;
      const fixture = await createFixture(kind, name);
      const before = await bench.contents();
      const aborter = new AbortController();
      bench.watchWrites((count) => {
        if (count === at) aborter.abort(runCancelled());
      });
      const outcome = await run(kind, fixture, name, { signal: aborter.signal }).then(
        () => 'done' as const,
        (error: unknown) => error,
      );
      bench.watchWrites(() => undefined);
      if (outcome !== 'done') {
        expect(isAppError(outcome, 'CANCELLED'), String(outcome)).toBe(true);
        const after = await bench.contents();
        expect(after.documents, `cancelled at write ${at}`).toEqual(before.documents);
        expect(after.messages, `cancelled at write ${at}`).toEqual(before.messages);
      }
      const output = await run(kind, fixture, name);
      const after = await bench.contents();
      expect(await run(kind, fixture, name)).toEqual(output);
      expect(await bench.contents()).toEqual(after);
    }
  });
});

/** Kinds whose effect takes several visible calls: once begun, they complete. */
const completing: ReadonlySet<StepKind> = new Set(['record-run']);

/** Runs a step as the activity does, without recording it: as after a crash between the work and the record. */
async function run(
  kind: StepKind,
  { params, input }: Fixture,
  name: string,
  {
    step: stepName = 'it',
    signal = new AbortController().signal,
    services = bench.app,
  }: { readonly step?: string; readonly signal?: AbortSignal; readonly services?: StepServices } = {},
): Promise<JsonValue> {
  const step: Step<StepServices> = steps[kind];
  const output = await step.run(
    { params: step.params.parse(params), input },
    {
      runId: `run-${name}`,
      step: stepName,
      codeVersion: 'test',
      services,
      logger: silentLogger,
      signal,
      report: () => undefined,
    },
  );
  return JSON.parse(JSON.stringify(output)) as JsonValue;
}

interface Trace {
  readonly outcome: unknown;
  readonly calls: readonly ServiceCall[];
  readonly writes: number;
}

/** The calls and writes of a run that nothing disturbs. */
async function trace(kind: StepKind): Promise<Trace> {
  const name = `${kind}-trace-${(traces += 1)}`;
  const traced = await cancelAt(kind, await createFixture(kind, name), name, Infinity);
  expect(isAppError(traced.outcome)).toBe(false);
  return traced;
}
let traces = 0;

/** Runs a step and cancels it as its call with that index begins; -1 cancels it before it starts. */
async function cancelAt(kind: StepKind, fixture: Fixture, name: string, at: number): Promise<Trace> {
  const aborter = new AbortController();
  const abort = (index: number) => {
    if (index === at) aborter.abort(runCancelled());
  };
  const watch = new CallWatch(abort);
  let writes = 0;
  bench.watchWrites((count, what) => {
    writes = count;
    watch.noteWrite(what);
  });
  abort(-1);
  const services = watch.wrap<StepServices>(bench.app);
  const outcome = await run(kind, fixture, name, { signal: aborter.signal, services }).catch(
    (error: unknown) => error,
  );
  bench.watchWrites(() => undefined);
  return { outcome, calls: watch.calls, writes };
}

function hasWrites({ writes }: ServiceCall): boolean {
  return writes.visible + writes.blobs > 0;
}

async function createFixture(kind: StepKind, name: string, variant: Variant = 0): Promise<Fixture> {
  const create = fixtures[kind];
  if (create) return create(name, variant);
  const { params, input }: Step<StepServices> = steps[kind];
  const required = Object.entries(input).filter(([, schema]) => !schema.safeParse(undefined).success);
  const outputs: [string, JsonValue][] = [];
  for (const [at, schema] of required) {
    const source = kinds.find((other) => other !== kind && canFeed(other, schema));
    if (source === undefined) throw new Error(`No step has an output for the input "${at}" of ${kind}.`);
    outputs.push([at, await run(source, await createFixture(source, name, variant), `${name}-${variant}`)]);
  }
  return {
    params: exampleOf(toJsonSchema(params, 'input')) as JsonObject,
    input: Object.fromEntries(outputs),
  };
}

function canFeed(kind: StepKind, input: z.ZodType): boolean {
  return findMisfit(toJsonSchema(steps[kind].output, 'output'), toJsonSchema(input, 'input')) === undefined;
}

async function land(name: string, variant: Variant): Promise<JsonObject> {
  const text = `${name} ${variant}`;
  const rows = Array.from({ length: 300 }, (_, i) => `${i % 24},${(i * 7) % 24 < i % 24 ? 30 : 0},${text}`);
  const ref = { container: 'landing', name: `${name}/${variant}.csv` };
  await bench.app.platform.blobs.put(ref, `hour,delay,text\n${rows.join('\n')}\n`);
  return (await bench.app.datasets.ingestion.identify(ref)) as JsonObject;
}

async function commit(name: string): Promise<JsonValue> {
  return run('commit-version', await createFixture('commit-version', name), name);
}

const trained = new Map<Variant, Promise<JsonObject>>();

/** One training for all fixtures of a variant, registered under different names. */
async function train(name: string, variant: Variant): Promise<JsonObject> {
  const known = trained.get(variant);
  const training =
    known ??
    createFixture('train-model', 'shared', variant).then(
      (fixture) => run('train-model', fixture, `shared-${variant}`) as Promise<JsonObject>,
    );
  trained.set(variant, training);
  const output = await training;
  const { blobs } = bench.app.platform;
  const hash = output['sha256'] as string;
  const bytes = Buffer.concat(await Array.fromAsync((await blobs.open(modelBlob('shared', hash))).body));
  await blobs.put(modelBlob(name, hash), bytes);
  return { ...output, model: name };
}

interface Instance {
  readonly run: string;
  readonly step: string;
}

/** How many names are new, by what they name. A blob that is named after its content may be there already. */
function countNew(before: Contents, after: Contents): Readonly<Record<keyof Contents, number>> {
  const count = (now: object, then: object) =>
    Object.keys(now).filter((name) => !Object.hasOwn(then, name) && !/[0-9a-f]{64}/.test(name)).length;
  return {
    documents: count(after.documents, before.documents),
    blobs: count(after.blobs, before.blobs),
    messages: after.messages.length - before.messages.length,
  };
}

/** Objects that accept unchecked keys. */
function findOpen(schema: JsonSchema, at: string): readonly string[] {
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = schema;
  return [
    ...(schema.type === 'object' && additionalProperties !== false ? [at] : []),
    ...Object.entries(properties).flatMap(([key, member]) => findOpen(member, `${at}.${key}`)),
    ...(items ? findOpen(items, `${at}[]`) : []),
    ...[...anyOf, ...oneOf].flatMap((branch) => findOpen(branch, at)),
  ];
}

function pathsOfObjects(
  value: JsonValue,
  schema: JsonSchema,
  path: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.entries<JsonValue>(value as JsonObject).flatMap(([key, member]) =>
    pathsOfObjects(member, schema, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  expect(schemasAt(schema, path).length).toBeGreaterThan(0);
  return Array.isArray(value) ? inside : [path, ...inside];
}
