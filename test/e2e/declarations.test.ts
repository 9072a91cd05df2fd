import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataset, followRun, model } from '../../examples/flights/loop.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

interface Params {
  readonly [name: string]: unknown;
  readonly training: { readonly trainer: object };
  readonly gate: object;
}
const example = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../examples/flights/pipeline.json'), 'utf8'),
) as { readonly definition: string; readonly on: object; readonly params: Params };
const { params } = example;
const { gate, ...ungated } = params;

const train = {
  name: 'train',
  uses: 'train-model',
  with: {
    dataset: '${{ params.dataset }}',
    version: '${{ params.version }}',
    model,
    training: params.training,
  },
};
const register = {
  name: 'register',
  uses: 'register-model',
  input: { trained: 'train' },
};
const deploy = {
  name: 'deploy',
  uses: 'deploy-model',
  with: { gate: 'none' },
  input: { registered: 'register' },
};
const ofSteps = (...steps: readonly object[]) => ({ on: example.on, steps });

/** Mistakes of users, in bodies that would otherwise run. */
const refused: readonly [what: string, body: object, at: string, remedy: RegExp][] = [
  [
    'a misspelt parameter',
    { ...example, params: { ...ungated, gaet: gate } },
    'params.gaet',
    /did you mean "gate"\? Known: dataset, version, model, training, gate/,
  ],
  [
    'a misspelt parameter of a step',
    ofSteps(train, register, { ...deploy, with: { gaet: 'none' } }),
    'steps[2].with.gaet',
    /did you mean "gate"/,
  ],
  [
    'a misspelt step',
    ofSteps({ ...train, uses: 'trian-model' }, register, deploy),
    'steps[0].uses',
    /did you mean "train-model"\? Known: .*deploy-model/,
  ],
  [
    'an input of the wrong type',
    ofSteps(train, register, { ...deploy, input: { registered: 'train' } }),
    'steps[2].input.registered',
    /"version" is missing\. These fit: register\./,
  ],
  [
    'a gate on another model than the one it deploys',
    ofSteps(train, { ...train, name: 'other' }, register, {
      ...deploy,
      input: { trained: 'other', registered: 'register' },
    }),
    'steps[3].input.trained',
    /"deploy-model" has no input "trained"/,
  ],
  [
    'an unknown trainer',
    { ...example, params: { ...params, training: { ...params.training, trainer: { name: 'logistci' } } } },
    'params.training.trainer.name',
    /did you mean "logistic"/,
  ],
  [
    'a metric that the task does not have',
    { ...example, params: { ...params, gate: { metric: 'rmseDistance', atMost: 1 } } },
    'params.gate.metric',
    /does not measure "rmseDistance"\. Known: aucScore/,
  ],
  [
    'the former spelling of a gate',
    { ...example, params: { ...params, gate: { metric: 'aucScore', min: 0.6 } } },
    'params.gate',
    /Say "atLeast"/,
  ],
];

test('refuses faulty declarations with place and remedy, and neither stores nor deploys them', async () => {
  const platform = await startPlatform();
  const declare = (name: string, body: object) =>
    fetch(`${platform.url}/api/v1/pipelines/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  for (const [i, [what, body, at, remedy]] of refused.entries()) {
    const response = await declare(`wrong-${i}`, body);
    expect([response.status, response.headers.get('content-type')], what).toEqual([
      400,
      'application/problem+json',
    ]);
    const problem = (await response.json()) as { code: string; faults: { at: string; message: string }[] };
    expect(problem.code, what).toBe('INVALID_ARGUMENT');
    expect(problem.faults, what).toContainEqual(
      expect.objectContaining({ at, message: expect.stringMatching(remedy) as string }),
    );
  }

  // One valid pipeline of the same steps, to have a run to wait for.
  expect((await declare('right', ofSteps(train, register, deploy))).status).toBe(200);
  const file = join(createFolder(), 'flights.parquet');
  await writeFlights(file, { rows: 3_000 });
  await platform.upload('landing', `${dataset}/flights.parquet`, file);
  expect(await followRun(platform, 'right', { timeoutMs: 60_000 })).toMatchObject({ status: 'succeeded' });

  const list = async (path: string) =>
    (await platform.call<{ items: { name?: string; pipeline?: string }[] }>('GET', path)).items;
  expect((await list('api/v1/pipelines')).map(({ name }) => name)).toEqual(['right']);
  expect(new Set((await list('api/v1/runs')).map((run) => run.pipeline))).toEqual(
    new Set(['ingest', 'right']),
  );
  expect(await list(`api/v1/models/${model}/versions`)).toHaveLength(1);
});
