import type { z } from 'zod';
import { type PlacedFault, unknownName } from '../../../core/faults.ts';
import { type JsonSchema, toJsonSchema } from '../../../core/json/json-schema.ts';
import { findMisfit } from '../../../core/json/json-schema-fit.ts';
import type { CheckedStep } from './check-step.ts';
import { findCycle } from './find-cycle.ts';
import { traceOrigin } from './references.ts';

/** Checks how steps are joined: names, needs, cycles, and that each output fits the input that reads it. */
export function checkWiring(steps: readonly CheckedStep[]): readonly PlacedFault[] {
  const byName = new Map<string, CheckedStep>();
  const faults: PlacedFault[] = [];
  for (const checked of steps) {
    const { name } = checked.step;
    if (byName.has(name))
      faults.push({ path: ['steps', checked.index, 'name'], message: `Two steps are called "${name}".` });
    else byName.set(name, checked);
  }
  const outputs = narrowOutputs(byName);
  for (const checked of steps)
    faults.push(...checkNeeds(checked, byName), ...checkInputs(checked, byName, outputs));
  const cycle = findCycle(new Map([...byName].map(([name, { step }]) => [name, needsOf(step)])));
  if (cycle)
    faults.push({
      path: ['steps'],
      message: `These steps wait for each other: ${[...cycle, cycle[0]].join(' → ')}.`,
    });
  return faults;
}

/** Every step that must have succeeded before this one. */
export function needsOf({ input = {}, needs = [] }: CheckedStep['step']): string[] {
  return [...new Set([...Object.values(input), ...needs])];
}

function checkNeeds({ step, index }: CheckedStep, byName: ReadonlyMap<string, CheckedStep>): PlacedFault[] {
  return (step.needs ?? []).flatMap((need, i) =>
    byName.has(need)
      ? []
      : [unknownName(['steps', index, 'needs', i], `There is no step "${need}"`, need, [...byName.keys()])],
  );
}

function checkInputs(
  checked: CheckedStep,
  byName: ReadonlyMap<string, CheckedStep>,
  outputs: Outputs,
): PlacedFault[] {
  const { step, kind, index } = checked;
  if (!kind) return [];
  const outputOf = (other: CheckedStep): JsonSchema => {
    const output = outputs.get(other.step.name);
    return output ? toJsonSchema(output, 'output') : {};
  };
  const bound = new Map(Object.entries(step.input ?? {}));
  const given = new Map<string, JsonSchema>();
  const faults: PlacedFault[] = [];
  for (const [input, schema] of Object.entries(kind.input)) {
    const path = ['steps', index, 'input', input];
    const wanted = toJsonSchema(schema, 'input');
    const explain = (message: string) =>
      suggest(
        message,
        [...byName.values()]
          .filter((other) => other !== checked && other.kind && !findMisfit(outputOf(other), wanted))
          .map((other) => other.step.name),
      );
    const name = bound.get(input);
    const source = name === undefined ? undefined : byName.get(name);
    if (name === undefined) {
      if (schema.safeParse(undefined).success) continue;
      faults.push({ path, ...explain(`Name the step that "${input}" reads`) });
    } else if (!source)
      faults.push(unknownName(path, `There is no step "${name}"`, name, [...byName.keys()]));
    else if (source.kind) {
      const output = outputOf(source);
      const misfit = findMisfit(output, wanted);
      if (misfit) {
        const place = misfit.path.length === 0 ? 'it' : `"${misfit.path.join('.')}"`;
        const reason = `The output of "${name}" (${source.step.uses}) does not fit: ${place} ${misfit.reason}`;
        faults.push({ path, ...explain(reason) });
      } else given.set(input, output);
    }
  }
  return [...faults, ...ownFaults(checked, given)];
}

/** What the step itself finds wrong with its parameters, given what it will read. */
function ownFaults(
  { kind, resolved, index, origins }: CheckedStep,
  given: ReadonlyMap<string, JsonSchema>,
): readonly PlacedFault[] {
  if (!kind?.check) return [];
  return kind.check(resolved, Object.fromEntries(given)).map((fault) => ({
    ...fault,
    path: traceOrigin(['steps', index, 'with', ...fault.path], origins),
  }));
}

/** What is known of each step's output, by the step's name; nothing of one whose kind is unknown. */
type Outputs = ReadonlyMap<string, z.ZodType>;

/** Follows the inputs: what a step passes on is as narrow as what it reads. In a cycle no output is narrowed. */
function narrowOutputs(byName: ReadonlyMap<string, CheckedStep>): Outputs {
  const outputs = new Map<string, z.ZodType>();
  const narrow = (name: string): z.ZodType | undefined => {
    const { kind, params, step } = byName.get(name) ?? {};
    if (!kind || outputs.has(name)) return outputs.get(name);
    outputs.set(name, kind.output);
    const given = Object.entries(step?.input ?? {}).map(
      ([input, source]) => [input, narrow(source)] as const,
    );
    if (params !== undefined && kind.narrowOutput)
      outputs.set(name, kind.narrowOutput(params, Object.fromEntries(given)));
    return outputs.get(name);
  };
  for (const name of byName.keys()) narrow(name);
  return outputs;
}

function suggest(message: string, fitting: readonly string[]): Omit<PlacedFault, 'path'> {
  const [only, ...others] = fitting;
  if (only === undefined) return { message: `${message}. No step of this pipeline has such an output.` };
  const didYouMean = others.length === 0 ? { didYouMean: only } : {};
  return { message: `${message}. These fit: ${fitting.join(', ')}.`, ...didYouMean, known: fitting };
}
