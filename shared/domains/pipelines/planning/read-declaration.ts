import { type FaultPath, type PlacedFault, toFaults } from '../../../core/faults.ts';
import { isArray, type JsonObject, type JsonValue } from '../../../core/json/json.ts';
import { isJsonObject } from '../../../core/json/member-at.ts';
import { type DefinedStep, definedStepSchema } from '../definition.ts';
import { type PipelineBody, pipelineBodySchema } from '../entities.ts';
import { type Catalog, planPipeline } from './plan-pipeline.ts';
import { startsWith } from './references.ts';

export type Declaration =
  | { readonly body: PipelineBody; readonly faults?: undefined }
  | { readonly body?: undefined; readonly faults: readonly PlacedFault[] };

const maxDepth = 64;

/**
 * Checks the body of a declaration as a whole: its shape, its parameters, its steps and how they are joined.
 *
 * @param value JSON of any shape
 * @returns the declaration, or every fault at once
 */
export function readDeclaration(pipeline: string, value: unknown, catalog: Catalog): Declaration {
  const unsafe = findUnsafe(value as JsonValue);
  if (unsafe.length > 0) return { faults: unsafe };
  const parsed = pipelineBodySchema.safeParse(value);
  const shape = parsed.success ? [] : toFaults(pipelineBodySchema, value, parsed.error.issues);
  const contents = isJsonObject(value as JsonValue)
    ? checkContents(pipeline, value as JsonObject, shape, catalog)
    : [];
  // A slip of the pen first: what else is wrong may follow from it.
  const faults = [...shape, ...contents].sort((a, b) => Number(!a.didYouMean) - Number(!b.didYouMean));
  if (parsed.success && faults.length === 0) return { body: parsed.data };
  return { faults };
}

/** What the parts of a body that could be read have for faults. */
function checkContents(
  pipeline: string,
  body: JsonObject,
  shape: readonly PlacedFault[],
  catalog: Catalog,
): readonly PlacedFault[] {
  const definition = typeof body['definition'] === 'string' ? body['definition'] : undefined;
  const steps = isArray(body['steps'] ?? null) ? (body['steps'] as readonly JsonValue[]) : undefined;
  if (Object.hasOwn(body, 'definition') === Object.hasOwn(body, 'steps'))
    return [{ path: [], message: 'Say either "definition" or "steps".' }];
  // One of a wrong type has its fault already.
  if (definition === undefined && steps === undefined) return [];
  const params = isJsonObject(body['params'] ?? null) ? (body['params'] as JsonObject) : {};
  const dataset = isJsonObject(body['on'] ?? null) ? (body['on'] as JsonObject)['dataset'] : undefined;
  const planned = planPipeline(
    {
      pipeline,
      definition,
      steps: steps?.map(readStep),
      params,
      given: sampleGiven(params, dataset),
    },
    catalog,
  );
  const found = planned.faults ?? [];
  const placed = dataset === undefined ? found : found.map((fault) => blameTrigger(fault));
  return [...checkTrigger(params, dataset), ...placed].filter((fault) => !isExplained(fault, shape));
}

/** What a run gets besides the declared parameters; the version is a placeholder until one starts. */
function sampleGiven(params: JsonObject, dataset: JsonValue | undefined): JsonObject {
  if (dataset !== undefined) return { dataset, version: 0 };
  if (params['dataset'] === undefined) return {};
  return { version: params['version'] ?? 0 };
}

function checkTrigger(params: JsonObject, dataset: JsonValue | undefined): readonly PlacedFault[] {
  if (dataset === undefined) return [];
  const faults: PlacedFault[] = [];
  if (Object.hasOwn(params, 'dataset') && params['dataset'] !== dataset)
    faults.push({ path: ['params', 'dataset'], message: 'Leave it out, or say what "on" says.' });
  if (Object.hasOwn(params, 'version'))
    faults.push({
      path: ['params', 'version'],
      message: 'Leave it out: each run gets the version that starts it.',
    });
  return faults;
}

/** The dataset of a trigger becomes a parameter: a fault of the one is a fault of the other. */
function blameTrigger(fault: PlacedFault): PlacedFault {
  const [root, name, ...rest] = fault.path;
  return root === 'params' && name === 'dataset' ? { ...fault, path: ['on', 'dataset', ...rest] } : fault;
}

/** As much of a step as can be read. */
function readStep(value: JsonValue): DefinedStep {
  const step = isJsonObject(value) ? value : {};
  const read = <Name extends keyof typeof definedStepSchema.shape>(name: Name) =>
    definedStepSchema.shape[name].safeParse(step[name]).data as DefinedStep[Name] | undefined;
  return {
    name: typeof step['name'] === 'string' ? step['name'] : '',
    uses: typeof step['uses'] === 'string' ? step['uses'] : '',
    with: read('with'),
    input: read('input'),
    needs: read('needs'),
    retry: read('retry'),
  };
}

/** Whether a fault of the contents follows from one of the shape: its part of the body could not be read. */
function isExplained(fault: PlacedFault, shape: readonly PlacedFault[]): boolean {
  return shape.some(({ path }) => startsWith(fault.path, path[0] === 'steps' ? path.slice(0, 3) : path));
}

/** What no part of the platform should walk: keys that are not data in JavaScript, and bottomless nesting. */
function findUnsafe(value: JsonValue): readonly PlacedFault[] {
  const waiting: { readonly value: JsonValue; readonly path: FaultPath }[] = [{ value, path: [] }];
  const faults: PlacedFault[] = [];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: part, path } = next;
    if (part === null || typeof part !== 'object') continue;
    if (path.length >= maxDepth)
      return [{ path: path.slice(0, 8), message: `The body is nested deeper than ${maxDepth} levels.` }];
    for (const [key, member] of Object.entries<JsonValue>(part as JsonObject)) {
      const place = [...path, isArray(part) ? Number(key) : key];
      if (key === '__proto__') faults.push({ path: place, message: 'A key cannot be called "__proto__".' });
      else waiting.push({ value: member, path: place });
    }
  }
  return faults;
}
