import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fault, toFault } from '../../../shared/core/faults.ts';
import { definitions, steps } from '../../../shared/domains/pipelines/catalog.ts';
import { examplePipeline } from '../../../shared/domains/pipelines/entities.ts';
import { planPipeline } from '../../../shared/domains/pipelines/planning/plan-pipeline.ts';
import { readDeclaration } from '../../../shared/domains/pipelines/planning/read-declaration.ts';

const catalog = { definitions, steps };

interface Body {
  [key: string]: unknown;
  params: Record<string, unknown> & { training: Record<string, unknown> };
}

/** The demo's pipeline, by its built-in definition. */
const byDefinition = (): Body =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../examples/flights/pipeline.json'), 'utf8'),
  ) as Body;

interface InlineStep {
  [key: string]: unknown;
  with: Record<string, unknown>;
  input: Record<string, unknown>;
}

/** Two trainings of two models from one dataset; the better-known one is deployed. */
function bySteps(): { [key: string]: unknown; params: Record<string, unknown>; steps: InlineStep[] } {
  const { training } = byDefinition().params;
  const train = (name: string, model: string): InlineStep => ({
    name,
    uses: 'train-model',
    with: { dataset: '${{ params.dataset }}', version: '${{params.version}}', model, training },
    input: {},
  });
  return {
    on: { dataset: 'flights' },
    params: { gate: { metric: 'logLossDistance', atMost: 0.6 } },
    steps: [
      train('fit', 'late-flights'),
      train('other', 'other-model'),
      { name: 'register', uses: 'register-model', with: {}, input: { trained: 'fit' } },
      {
        name: 'deploy',
        uses: 'deploy-model',
        with: { gate: '${{ params.gate }}' },
        input: { registered: 'register' },
        needs: ['other'],
      },
    ],
  };
}

function faultsOf(body: unknown): readonly Fault[] {
  return (readDeclaration('p', body, catalog).faults ?? []).map(toFault);
}

describe('a declaration by definition', () => {
  test('is accepted for the demo and for the API’s example', () => {
    expect(faultsOf(byDefinition())).toEqual([]);
    expect(faultsOf(examplePipeline)).toEqual([]);
  });

  const params = (change: (params: Body['params']) => void) => (body: Body) => change(body.params);
  const gate = (value: unknown) => params((all) => (all['gate'] = value));

  test.each<[string, (body: Body) => void, Partial<Fault>]>([
    [
      'a misspelt parameter',
      params((all) => {
        all['gaet'] = all['gate'];
        delete all['gate'];
      }),
      { at: 'params.gaet', didYouMean: 'gate', known: ['dataset', 'version', 'model', 'training', 'gate'] },
    ],
    [
      'a misspelt nested parameter',
      params((all) => (all.training = { ...all.training, holdoutshare: 0.1 })),
      { at: 'params.training.holdoutshare', didYouMean: 'holdoutShare' },
    ],
    ['a misspelt member of the body', (body) => (body['prams'] = {}), { at: 'prams' }],
    [
      'an unknown definition',
      (body) => (body['definition'] = 'train-clasifier'),
      { at: 'definition', didYouMean: 'train-classifier', known: ['ingest', 'train-classifier'] },
    ],
    [
      'a definition named like a member of Object.prototype',
      (body) => (body['definition'] = 'constructor'),
      { at: 'definition', known: ['ingest', 'train-classifier'] },
    ],
    [
      'an unknown trainer',
      params((all) => (all.training = { ...all.training, trainer: { name: 'logistik' } })),
      { at: 'params.training.trainer.name', didYouMean: 'logistic' },
    ],
    [
      'a misspelt parameter of the trainer',
      params((all) => (all.training = { ...all.training, trainer: { name: 'logistic', params: { l3: 1 } } })),
      { at: 'params.training.trainer.params.l3', didYouMean: 'l2' },
    ],
    [
      'an unknown metric',
      gate({ metric: 'auc', atLeast: 0.6 }),
      { at: 'params.gate.metric', didYouMean: 'aucScore' },
    ],
    [
      'a metric that the task does not have',
      gate({ metric: 'rmseDistance', atMost: 1 }),
      {
        at: 'params.gate.metric',
        message: expect.stringContaining('This training does not measure "rmseDistance"') as string,
        known: ['aucScore', 'logLossDistance', 'accuracyScore', 'calibrationErrorDistance', 'baseRate'],
      },
    ],
    [
      'a bound on the wrong side of a score',
      gate({ metric: 'aucScore', atMost: 0.6 }),
      { at: 'params.gate.atMost', message: 'Say "atLeast": aucScore is better the higher it is.' },
    ],
    [
      'a bound on the wrong side of a distance',
      gate({ metric: 'logLossDistance', atLeast: 0.6 }),
      { at: 'params.gate.atLeast', message: 'Say "atMost": logLossDistance is better the lower it is.' },
    ],
    [
      'a bound outside the range of the metric',
      gate({ metric: 'aucScore', atLeast: 60 }),
      { at: 'params.gate.atLeast', message: '60 is outside of the range of aucScore, 0 to 1.' },
    ],
    [
      'two bounds',
      gate({ metric: 'baseRate', atLeast: 0.1, atMost: 0.9 }),
      { at: 'params.gate.atMost', message: 'Say "atLeast" or "atMost", not both of them.' },
    ],
    [
      'the former spelling of a bound',
      gate({ metric: 'aucScore', min: 0.6 }),
      { at: 'params.gate', message: 'Say "atLeast": aucScore is better the higher it is.' },
    ],
    [
      'no gate',
      params((all) => delete all['gate']),
      { at: 'params.gate', message: 'must be {"metric", "atLeast"}, {"metric", "atMost"} or "none"' },
    ],
    ['an invalid dataset name', (body) => (body['on'] = { dataset: 'Flights' }), { at: 'on.dataset' }],
    [
      'a version beside a trigger that sets it',
      params((all) => (all['version'] = 3)),
      { at: 'params.version' },
    ],
    ['another dataset than the trigger', params((all) => (all['dataset'] = 'x')), { at: 'params.dataset' }],
    ['steps beside a definition', (body) => (body['steps'] = bySteps().steps), { at: '' }],
    ['no parameters at all', (body) => delete body['params' as string], { at: 'params.model' }],
  ])('with %s is refused, with place and remedy', (_, change, expected) => {
    const body = byDefinition();
    change(body);
    const faults = faultsOf(body);
    expect(faults).toContainEqual(expect.objectContaining(expected));
    if (expected.didYouMean !== undefined)
      expect(faults[0]?.message).toContain(`did you mean "${expected.didYouMean}"?`);
  });

  test.each<[string, unknown]>([
    ['a figure without a direction, from below', { metric: 'baseRate', atLeast: 0.01 }],
    ['a figure without a direction, from above', { metric: 'baseRate', atMost: 0.5 }],
    ['a distance without an upper end', { metric: 'logLossDistance', atMost: 5 }],
    ['an explicit "none" for the gate', 'none'],
  ])('may be gated by %s', (_, value) => {
    const body = byDefinition();
    body.params['gate'] = value;
    expect(faultsOf(body)).toEqual([]);
  });

  test('reports all faults at once', () => {
    const body = byDefinition();
    body['no'] = 1;
    body.params['gate'] = { metric: 'auc', min: 0.6 };
    body.params.training = { ...body.params.training, trainer: { name: 'x', params: { l3: 1 } }, sed: 1 };
    expect(
      faultsOf(body)
        .map(({ at }) => at)
        .sort(),
    ).toEqual([
      'no',
      'params.gate',
      'params.gate.metric',
      'params.gate.min',
      'params.training.sed',
      'params.training.trainer.name',
    ]);
  });

  test.each([null, 7, 'x', [], {}])('is refused when it is %j', (body) => {
    expect(faultsOf(body)).toHaveLength(1);
  });
});

describe('a declaration by steps', () => {
  test('may use the same kind of step twice', () => {
    expect(faultsOf(bySteps())).toEqual([]);
  });

  const step = (index: number, change: (step: InlineStep) => void) => (body: ReturnType<typeof bySteps>) =>
    change(body.steps[index]!);

  test.each<[string, (body: ReturnType<typeof bySteps>) => void, Partial<Fault>]>([
    [
      'an unknown kind',
      step(0, (it) => (it['uses'] = 'trian-model')),
      { at: 'steps[0].uses', didYouMean: 'train-model' },
    ],
    [
      'a kind named like a member of Object.prototype',
      step(0, (it) => (it['uses'] = 'constructor')),
      { at: 'steps[0].uses' },
    ],
    [
      'a misspelt member',
      step(2, (it) => (it['neds'] = ['fit'])),
      { at: 'steps[2].neds', didYouMean: 'needs' },
    ],
    [
      'a misspelt parameter',
      step(3, (it) => (it.with = { gaet: 'none' })),
      { at: 'steps[3].with.gaet', didYouMean: 'gate', known: ['gate'] },
    ],
    [
      'a misspelt parameter deep inside',
      step(3, (it) => (it.with = { gate: { metric: 'aucScore', atLest: 0.5 } })),
      { at: 'steps[3].with.gate.atLest', didYouMean: 'atLeast' },
    ],
    [
      'a metric that the task does not have',
      step(3, (it) => (it.with = { gate: { metric: 'maeDistance', atMost: 1 } })),
      { at: 'steps[3].with.gate.metric' },
    ],
    [
      'a metric that the task does not have, through a parameter',
      (body) => (body.params['gate'] = { metric: 'maeDistance', atMost: 1 }),
      { at: 'params.gate.metric' },
    ],
    [
      'an unknown input',
      step(3, (it) => (it.input = { registred: 'register' })),
      { at: 'steps[3].input.registred', didYouMean: 'registered', known: ['registered'] },
    ],
    [
      'a gate on another model than the one it deploys',
      step(3, (it) => (it.input = { trained: 'other', registered: 'register' })),
      { at: 'steps[3].input.trained', known: ['registered'] },
    ],
    [
      'a spec to register beside the one that was trained',
      step(2, (it) => (it.with = { training: {} })),
      { at: 'steps[2].with.training' },
    ],
    [
      'an input named like a member of Object.prototype',
      step(3, (it) => (it.input = { ...it.input, constructor: 'fit' })),
      { at: 'steps[3].input.constructor' },
    ],
    [
      'an unbound input',
      step(3, (it) => (it.input = {})),
      { at: 'steps[3].input.registered', didYouMean: 'register' },
    ],
    [
      'an input bound to a missing step',
      step(3, (it) => (it.input = { registered: 'registre' })),
      {
        at: 'steps[3].input.registered',
        didYouMean: 'register',
        known: ['fit', 'other', 'register', 'deploy'],
      },
    ],
    [
      'an input bound to an output of another type',
      step(2, (it) => (it.input = { trained: 'deploy' })),
      {
        at: 'steps[2].input.trained',
        message: expect.stringMatching(
          /^The output of "deploy" \(deploy-model\) does not fit: .* is missing\. These fit: fit, other\.$/,
        ) as string,
        known: ['fit', 'other'],
      },
    ],
    [
      'a missing dependency',
      step(3, (it) => (it['needs'] = ['othr'])),
      { at: 'steps[3].needs[0]', didYouMean: 'other' },
    ],
    [
      'a cycle',
      step(1, (it) => (it['needs'] = ['deploy'])),
      { at: 'steps', message: 'These steps wait for each other: other → deploy → other.' },
    ],
    [
      'a step that depends on itself',
      step(1, (it) => (it['needs'] = ['other'])),
      { at: 'steps', message: 'These steps wait for each other: other → other.' },
    ],
    [
      'two steps of the same name',
      step(1, (it) => (it['name'] = 'fit')),
      { at: 'steps[1].name', message: 'Two steps are called "fit".' },
    ],
    ['a name with upper case', step(1, (it) => (it['name'] = 'Other')), { at: 'steps[1].name' }],
    [
      'a reference to a missing parameter',
      step(0, (it) => (it.with['model'] = '${{ params.modle }}')),
      { at: 'steps[0].with.model', known: ['gate', 'dataset', 'version'] },
    ],
    [
      'a reference inside a text',
      step(0, (it) => (it.with['model'] = 'm-${{ params.version }}')),
      { at: 'steps[0].with.model' },
    ],
    [
      'a parameter of the wrong type, reported where a step reads it',
      (body) => (body.params['gate'] = 7),
      { at: 'params.gate' },
    ],
    ['a parameter that no step reads', (body) => (body.params['gaet'] = 1), { at: 'params.gaet' }],
    ['an invalid parameter name', (body) => (body.params['a b'] = 1), { at: 'params.a b' }],
    [
      'too many attempts',
      step(0, (it) => (it['retry'] = { maxAttempts: 99 })),
      { at: 'steps[0].retry.backoff' },
    ],
    ['no steps', (body) => (body.steps = []), { at: 'steps' }],
    [
      'a step that is not an object',
      (body) => (body.steps[0] = 7 as unknown as InlineStep),
      { at: 'steps[0]' },
    ],
  ])('with %s is refused, with place and remedy', (_, change, expected) => {
    const body = bySteps();
    change(body);
    expect(faultsOf(body)).toContainEqual(expect.objectContaining(expected));
  });

  test('faults of shape hide no faults of content, and an unreadable part causes no further faults', () => {
    const body = bySteps();
    delete body.steps[0]!['uses'];
    body.steps[1]!.with = 7 as unknown as InlineStep['with'];
    body.steps[2]!.input = { trained: 7 };
    body.steps[3]!.with = { gate: 'nun' };
    expect(faultsOf(body).map(({ at }) => at)).toEqual([
      'steps[0].uses',
      'steps[1].with',
      'steps[2].input.trained',
      'params.gate',
      'steps[3].with.gate',
    ]);
  });

  test('steps have a dataset version only with a trigger or a dataset parameter', () => {
    const body = bySteps();
    delete body['on'];
    expect(faultsOf(body).map(({ at }) => at)).toEqual([
      'steps[0].with.dataset',
      'steps[0].with.version',
      'steps[1].with.dataset',
      'steps[1].with.version',
    ]);
    body.params['dataset'] = 'flights';
    expect(faultsOf(body)).toEqual([]);
  });

  test('a step may be named "constructor", be read and be awaited', () => {
    const body = bySteps();
    body.steps[0]!['name'] = 'constructor';
    body.steps[2]!.input = { trained: 'constructor' };
    body.steps[3]!.input = { registered: 'register' };
    expect(faultsOf(body)).toEqual([]);
  });

  test('a parameter may be named like a member of Object.prototype', () => {
    fc.assert(
      fc.property(fc.constantFrom('constructor', 'toString', 'valueOf', 'hasOwnProperty'), (name) => {
        const body = bySteps();
        body.params = { [name]: 'none' };
        body.steps[3]!.with = { gate: `\${{ params.${name} }}` };
        const { body: read } = readDeclaration('p', body, catalog);
        expect(read).toBeDefined();
        const request = { pipeline: 'p', ...read!, given: { dataset: 'flights', version: 3 } };
        const { plan } = planPipeline(request, catalog);
        expect(plan?.steps[3]?.with).toEqual({ gate: 'none' });
        body.steps[3]!.with = { gate: '${{ params.isPrototypeOf }}' };
        expect(faultsOf(body).map(({ at }) => at)).toEqual([`params.${name}`, 'steps[3].with.gate']);
      }),
    );
  });
});

describe('hostile JSON', () => {
  test.each([
    ['at the top', '{"definition":"train-classifier","__proto__":{"params":{}}}', '__proto__'],
    ['in parameters', '{"definition":"train-classifier","params":{"__proto__":{}}}', 'params.__proto__'],
    [
      'in a binding',
      '{"steps":[{"name":"a","uses":"commit-version","input":{"__proto__":"a"}}]}',
      'steps[0].input.__proto__',
    ],
  ])('the key "__proto__" %s is refused', (_, text, at) => {
    expect(faultsOf(JSON.parse(text))).toMatchObject([{ at }]);
  });

  test('refuses deep nesting without walking it', () => {
    let value: unknown = 'x';
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    expect(faultsOf({ definition: 'train-classifier', params: { model: value } })).toMatchObject([
      { message: 'The body is nested deeper than 64 levels.' },
    ]);
  });

  test('any JSON gets an answer', () => {
    const key = fc.constantFrom('definition', 'steps', 'on', 'params', 'with', 'input', 'constructor');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, 7, 'train-model', 'train-classifier', '${{ params.x }}', '${{', true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.constantFrom('name', 'uses', 'needs', 'dataset')), tie('value'), {
          maxKeys: 4,
        }),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const { body: read, faults } = readDeclaration('p', body, catalog);
        expect(read === undefined).toBe((faults?.length ?? 0) > 0);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('refuses a plan that does not fit a document', () => {
  const { training } = byDefinition().params;
  const features = Array.from({ length: 1_000 }, (_, i) => ({
    column: `${i}`.padEnd(190, 'x'),
    kind: 'numeric',
    name: `${i}`.padEnd(190, 'y'),
  }));
  const body = byDefinition();
  body.params.training = { ...training, features };
  expect(faultsOf(body)).toMatchObject([
    { at: '', message: expect.stringMatching(/at most 524288/) as string },
  ]);
});
