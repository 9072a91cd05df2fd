import { type FaultPath, type PlacedFault, toFaults, unknownName } from '../../../core/faults.ts';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import type { DefinedStep } from '../definition.ts';
import type { StepKind } from '../step.ts';
import { type Origin, resolveReferences, startsWith, traceOrigin } from './references.ts';

export type StepKinds = Readonly<Record<string, StepKind>>;

/** The values of a pipeline's parameters; undefined for one that was left out. */
export type ParamValues = ReadonlyMap<string, JsonValue | undefined>;

/** A step checked on its own: its kind found, its parameters resolved and parsed. */
export interface CheckedStep {
  readonly index: number;
  readonly step: DefinedStep;
  /** Undefined when the catalog has no such kind. */
  readonly kind: StepKind | undefined;
  /** The parameters with every reference replaced, unchecked. */
  readonly resolved: JsonObject;
  /** The same, parsed; undefined when they have faults. */
  readonly params: JsonObject | undefined;
  readonly origins: readonly Origin[];
  readonly faults: readonly PlacedFault[];
}

export function findKind(kinds: StepKinds, name: string): StepKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** Checks what can be known of a step without the others: its kind, its parameters and the names of its inputs. */
export function checkStep(
  step: DefinedStep,
  index: number,
  params: ParamValues,
  kinds: StepKinds,
): CheckedStep {
  const at: FaultPath = ['steps', index];
  const kind = findKind(kinds, step.uses);
  const resolved = resolveReferences(step.with ?? {}, params, [...at, 'with']);
  const { origins } = resolved;
  const asResolved = resolved.value as JsonObject;
  if (!kind) {
    const fault = unknownName(
      [...at, 'uses'],
      `There is no step kind "${step.uses}"`,
      step.uses,
      Object.keys(kinds),
    );
    const faults = [fault, ...resolved.faults];
    return { index, step, kind, resolved: asResolved, params: undefined, origins, faults };
  }
  const unknownInputs = Object.keys(step.input ?? {})
    .filter((name) => !Object.hasOwn(kind.input, name))
    .map((name) =>
      unknownName(
        [...at, 'input', name],
        `"${step.uses}" has no input "${name}"`,
        name,
        Object.keys(kind.input),
      ),
    );
  const parsed = kind.params.safeParse(resolved.value);
  const faults = parsed.success
    ? []
    : toFaults(kind.params, resolved.value, parsed.error.issues, [...at, 'with'])
        // A reference that leads nowhere leaves a hole: that it is one has been said.
        .filter(({ path }) => !resolved.faults.some((hole) => startsWith(path, hole.path)))
        .map((fault) => ({ ...fault, path: traceOrigin(fault.path, origins) }));
  return {
    index,
    step,
    kind,
    resolved: asResolved,
    params: parsed.success && resolved.faults.length === 0 ? (parsed.data as JsonObject) : undefined,
    origins,
    faults: [...resolved.faults, ...faults, ...unknownInputs],
  };
}
