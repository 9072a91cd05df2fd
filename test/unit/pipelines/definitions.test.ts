import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exampleOf } from '../../../shared/api/http/openapi-example.ts';
import { toFault } from '../../../shared/core/faults.ts';
import type { JsonObject, JsonValue } from '../../../shared/core/json/json.ts';
import { toJsonSchema } from '../../../shared/core/json/json-schema.ts';
import { definitions, steps } from '../../../shared/domains/pipelines/catalog.ts';
import type { PipelineDefinition } from '../../../shared/domains/pipelines/definition.ts';
import { examplePipeline } from '../../../shared/domains/pipelines/entities.ts';
import {
  type DurableTasks,
  orchestrate,
  type StepCall,
} from '../../../shared/domains/pipelines/orchestrate.ts';
import type { Plan } from '../../../shared/domains/pipelines/plan.ts';
import { planPipeline } from '../../../shared/domains/pipelines/planning/plan-pipeline.ts';
import type { StepKind } from '../../../shared/domains/pipelines/step.ts';

/** The contract of every built-in pipeline. A new one is a line in the catalog and a fixture here. */
type DefinitionName = keyof typeof definitions;

/** Parameters with which the pipeline can run, optional ones included. */
const fixtures = {
  ingest: {
    source: {
      container: 'landing',
      name: 'flights/a.csv',
      etag: '"1"',
      sizeBytes: 10,
      into: { dataset: 'a' },
    },
  },
  'train-classifier': { ...examplePipeline.params, dataset: 'flights', version: 3 },
} satisfies Record<DefinitionName, JsonObject>;

const names = Object.keys(fixtures) as DefinitionName[];
const catalog = { steps, definitions };
const kinds: Readonly<Record<string, StepKind>> = steps;

function planWith(definition: DefinitionName, params: JsonObject) {
  return planPipeline({ pipeline: 'p', definition, params, given: {} }, catalog);
}

function faultsWith(definition: DefinitionName, params: JsonObject) {
  return (planWith(definition, params).faults ?? []).map(toFault);
}

describe.each(names)('the definition %s', (name) => {
  const definition: PipelineDefinition = definitions[name];
  const params: JsonObject = fixtures[name];

  test('is planned with its sample parameters, which are complete', () => {
    expect(faultsWith(name, params)).toEqual([]);
    expect(Object.keys(params).sort()).toEqual(Object.keys(definition.params.shape).sort());
  });

  test('reads each of its parameters in some step', () => {
    const text = JSON.stringify(definition.steps);
    for (const param of Object.keys(definition.params.shape)) expect(text).toContain(`params.${param} }}`);
  });

  test('refuses each misspelt parameter and suggests the correct name', () => {
    for (const [param, value] of Object.entries(params)) {
      const { [param]: _, ...others } = params;
      const misspelt = param.slice(0, -1);
      expect(faultsWith(name, { ...others, [misspelt]: value })).toContainEqual(
        expect.objectContaining({ at: `params.${misspelt}`, didYouMean: param }),
      );
    }
  });

  test('requires exactly the required parameters', () => {
    for (const param of Object.keys(params)) {
      const { [param]: _, ...others } = params;
      const isOptional = definition.params.shape[param]!.safeParse(undefined).success;
      const places = faultsWith(name, others).map(({ at }) => at);
      expect(places, param).toEqual(isOptional ? [] : [`params.${param}`]);
    }
  });

  test('runs every step once, with inputs that it accepts', () => {
    const { plan } = planWith(name, params);
    const { calls, result } = follow(plan!);
    expect(result).toMatchObject({ status: 'succeeded' });
    expect(calls.map(({ step }) => step).sort()).toEqual(plan!.steps.map((step) => step.name).sort());
    for (const { step, input } of calls) {
      const { uses } = plan!.steps.find((each) => each.name === step)!;
      expect(z.object(kinds[uses]!.input).safeParse(input).error).toBeUndefined();
    }
  });
});

describe('docs/pipelines.md', () => {
  const page = readFileSync('docs/pipelines.md', 'utf8');

  test.each(Object.entries(kinds))('has the parameters and inputs of %s', (name, kind) => {
    const [, , params = '', input = ''] = new RegExp(`^\\| \`${name}\` \\|.*$`, 'm')
      .exec(page)![0]
      .split('|');
    const { properties = {} } = toJsonSchema(kind.params, 'input');
    expect(wordsOf(params)).toEqual(Object.keys(properties));
    expect(wordsOf(input)).toEqual(Object.keys(kind.input));
  });

  test.each(names)('has the parameters of %s', (name) => {
    const [, list = ''] = new RegExp(`\`${name}\` \\(([^)]*)\\)`).exec(page)!;
    expect(wordsOf(list)).toEqual(Object.keys(definitions[name].params.shape));
  });
});

function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** Follows a plan with a made-up output for each step. */
function follow(plan: Plan) {
  const calls: StepCall[] = [];
  const outputOf = ({ step }: StepCall): JsonValue => {
    const { uses } = plan.steps.find((each) => each.name === step)!;
    return exampleOf(toJsonSchema(kinds[uses]!.output, 'output')) as JsonValue;
  };
  const tasks: DurableTasks<unknown> = {
    callStep: (call) => {
      calls.push(call);
      return { ok: true, output: outputOf(call) };
    },
    finish: () => undefined,
    all: (all) => all,
    sleep: () => undefined,
    setStatus: () => undefined,
  };
  const generator = orchestrate('run', plan, tasks);
  let next = generator.next();
  while (!next.done) next = generator.next(next.value);
  return { calls, result: next.value };
}
