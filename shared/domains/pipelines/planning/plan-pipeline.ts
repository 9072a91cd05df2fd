import { type FaultPath, type PlacedFault, toFaults, unknownName } from '../../../core/faults.ts';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import { type DefinedStep, defaultRetry, type PipelineDefinition } from '../definition.ts';
import { type Plan, planFormat, type PlannedStep } from '../plan.ts';
import { checkStep, type ParamValues, type StepKinds } from './check-step.ts';
import { checkWiring, needsOf } from './check-wiring.ts';
import { paramNamePattern } from './references.ts';

export interface Catalog {
  readonly steps: StepKinds;
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
}

/** A pipeline with the values of its parameters, as it is to run. */
export interface PlanRequest {
  readonly pipeline: string;
  /** A built-in definition, or else steps of its own. */
  readonly definition?: string | undefined;
  readonly steps?: readonly DefinedStep[] | undefined;
  readonly params: JsonObject;
  /** Parameters that come with what starts the run; they override declared ones of the same name. */
  readonly given: JsonObject;
}

export type Planned =
  | { readonly plan: Plan; readonly faults?: undefined }
  | { readonly plan?: undefined; readonly faults: readonly PlacedFault[] };

/**
 * Resolves a pipeline into a plan. Pure: the same request and catalog give the same plan.
 *
 * @returns the plan, or every fault of the request; places are those of a declaration (`params.gate.metric`)
 */
export function planPipeline(request: PlanRequest, { steps: kinds, definitions }: Catalog): Planned {
  const { pipeline, params: declared, given } = request;
  const params: JsonObject = { ...declared, ...given };
  const definition = findDefinition(definitions, request.definition);
  if (request.definition !== undefined && !definition)
    return { faults: [unknownDefinition(request.definition, Object.keys(definitions))] };
  const defined = definition?.steps ?? request.steps ?? [];
  const values = valuesOf(params, definition);
  const checked = defined.map((step, index) => checkStep(step, index, values, kinds));
  const faults = distinct([
    ...(definition ? checkParams(definition, params) : checkOwnParams(declared, defined)),
    ...checked.flatMap((step) => step.faults),
    ...checkWiring(checked),
  ]);
  if (faults.length > 0) return { faults };
  const steps = checked.map(({ step, params: resolved = {} }): PlannedStep => ({
    name: step.name,
    uses: step.uses,
    with: resolved,
    input: { ...step.input },
    needs: needsOf(step),
    retry: step.retry ?? defaultRetry,
  }));
  const origin = definition && { definition: request.definition, definitionVersion: definition.version };
  const plan: Plan = { format: planFormat, pipeline, ...origin, params, steps };
  const sizeBytes = Buffer.byteLength(JSON.stringify(plan));
  if (sizeBytes <= maxPlanBytes) return { plan };
  const message = `With its parameters in place the plan has ${sizeBytes} bytes; at most ${maxPlanBytes} are kept.`;
  return { faults: [{ path: [], message }] };
}

/** A run is one document, and Cosmos DB takes 2 MB. */
const maxPlanBytes = 2 ** 19;

function findDefinition(
  definitions: Catalog['definitions'],
  name: string | undefined,
): PipelineDefinition | undefined {
  return name !== undefined && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
}

function unknownDefinition(name: string, known: readonly string[]): PlacedFault {
  return unknownName(
    ['definition'],
    `There is no definition ${JSON.stringify(name.slice(0, 100))}`,
    name,
    known,
  );
}

/** A built-in definition's optional parameters are known even when they are left out. */
function valuesOf(params: JsonObject, definition: PipelineDefinition | undefined): ParamValues {
  const known = Object.keys(definition?.params.shape ?? {});
  return new Map<string, JsonValue | undefined>([
    ...known.map((name) => [name, undefined] as const),
    ...Object.entries(params),
  ]);
}

function checkParams({ params: schema }: PipelineDefinition, params: JsonObject): readonly PlacedFault[] {
  const parsed = schema.safeParse(params);
  return parsed.success ? [] : toFaults(schema, params, parsed.error.issues, ['params']);
}

/** Parameters that a pipeline declares for steps of its own: each has a proper name, and some step reads it. */
function checkOwnParams(params: JsonObject, steps: readonly DefinedStep[]): readonly PlacedFault[] {
  const text = JSON.stringify(steps.map((step) => step.with ?? {}));
  return Object.keys(params).flatMap((name) => {
    const path: FaultPath = ['params', name];
    if (!paramNamePattern.test(name))
      return [{ path, message: 'A name is 1–63 of A–Z, a–z, 0–9, "_" and "-", starting with a letter.' }];
    const isRead = new RegExp(`\\$\\{\\{\\s*params\\.${name}\\s*\\}\\}`).test(text);
    return isRead ? [] : [{ path, message: `No step reads the parameter "${name}".` }];
  });
}

/** A parameter that several steps read is faulty once. */
function distinct(faults: readonly PlacedFault[]): readonly PlacedFault[] {
  const seen = new Map(faults.map((fault) => [JSON.stringify([fault.path, fault.message]), fault]));
  return [...seen.values()];
}
