import type { JsonObject } from '../../core/json/json.ts';
import { artifactScheme, mlflowTags } from '../../core/names/mlflow-names.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import { readArtifactUri, isOwnArtifactUri } from '../artifacts/artifact-uri.ts';
import type { Filter, FieldPath, MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import type { LifecycleStage } from '../tracking/entities.ts';
import type { ExperimentService } from '../tracking/experiments/service.ts';
import type { TrashSubject } from './entities.ts';

const maxReasons = 10;
const pageSize = 50;

export interface ReferenceDeps {
  readonly store: MetadataStore;
  readonly experiments: Pick<ExperimentService, 'readStages'>;
}

/**
 * Finds what still refers to an object, as sentences, at most ten. Each kind of reference is one indexed query:
 *
 * - model versions, by run, by logged model, or by the place of their files;
 * - live runs, by the models and datasets they read, and by their parent run; live logged models, by their run;
 * - other objects with their place in the same folder.
 *
 * The run that logged a model does not keep it: the model was deleted separately.
 */
export async function findReferences(deps: ReferenceDeps, subject: TrashSubject): Promise<readonly string[]> {
  const reasons = new Set<string>();
  for await (const reason of eachReference(deps, subject)) {
    reasons.add(reason);
    if (reasons.size >= maxReasons) break;
  }
  return [...reasons];
}

async function* eachReference(deps: ReferenceDeps, subject: TrashSubject): AsyncGenerator<string> {
  switch (subject.kind) {
    case 'experiment':
      if (subject.id === '0') yield 'The default experiment always exists.';
      return;
    case 'orphan':
      yield* claimsOn(deps, subject.id, undefined);
      return;
    case 'run':
      yield* versions(deps, [is(['version', 'runId'], subject.id), from(`runs:/${subject.id}`)]);
      yield* live(deps, is(['loggedModel', 'sourceRunId'], subject.id));
      yield* live(
        deps,
        and(is(['tags', mlflowTags.parentRunId], subject.id), exists(['run', 'runId'])),
        subject.id,
      );
      yield* live(deps, mentions(subject.id), subject.id);
      yield* claimsOn(deps, pathOf(subject), subject.id);
      return;
    case 'loggedModel':
      yield* versions(deps, [is(['version', 'modelId'], subject.id), from(`models:/${subject.id}`)]);
      yield* live(deps, mentions(subject.id));
      yield* claimsOn(deps, pathOf(subject), subject.id);
  }
}

/** The folder of a run's or logged model's artifacts; undefined when it is stored elsewhere, or not its own. */
export function pathOf(subject: TrashSubject): string | undefined {
  if (subject.kind === 'orphan') return subject.id;
  if (subject.kind === 'experiment' || !isOwnArtifactUri(subject.artifactUri)) return undefined;
  const path = readArtifactUri(subject.artifactUri);
  // A folder of its own has the id in its path.
  return path.split('/').includes(subject.id) ? path : undefined;
}

/** Objects with their place in a folder, and model versions whose files are a folder above it. */
async function* claimsOn(
  deps: ReferenceDeps,
  path: string | undefined,
  ownId: string | undefined,
): AsyncGenerator<string> {
  if (path === undefined) return;
  const above = path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
  yield* versions(deps, [
    inside(['version', 'storageLocation'], path),
    { op: 'in', path: ['version', 'storageLocation'], values: above.flatMap(urisOf) },
  ]);
  const places: readonly FieldPath[] = [
    ['run', 'artifactUri'],
    ['loggedModel', 'artifactLocation'],
    ['experiment', 'artifactLocation'],
  ];
  for (const place of places)
    for await (const { body } of find(deps, metadataContainers.tracking, inside(place, path)))
      if (idOf(body) !== ownId) yield describe(body);
}

function urisOf(path: string): string[] {
  return path === ''
    ? [`${artifactScheme}:`, `${artifactScheme}:/`]
    : [`${artifactScheme}:/${path}`, `${artifactScheme}:/${path}/`];
}

async function* versions(deps: ReferenceDeps, filters: readonly Filter[]): AsyncGenerator<string> {
  for (const filter of filters)
    for await (const { body, partition } of find(deps, metadataContainers.registry, filter))
      yield `Version ${(body['version'] as { version: number }).version} of the model "${partition}" needs it.`;
}

/** The selected runs and logged models that are not deleted, and whose experiment is not. */
async function* live(deps: ReferenceDeps, filter: Filter, except?: string): AsyncGenerator<string> {
  for await (const { body, partition } of find(deps, metadataContainers.tracking, filter)) {
    const { lifecycleStage } = (body['run'] ?? body['loggedModel']) as { lifecycleStage: LifecycleStage };
    if (lifecycleStage === 'deleted' || idOf(body) === except) continue;
    const stages = await deps.experiments.readStages([partition]);
    if (stages.get(partition) !== 'deleted') yield describe(body);
  }
}

function find({ store }: ReferenceDeps, container: string, filter: Filter): AsyncGenerator<StoredDocument> {
  return eachDocument(store, { container, filter, limit: pageSize });
}

function idOf(body: JsonObject): string | undefined {
  const { run, loggedModel } = body as { run?: { runId: string }; loggedModel?: { modelId: string } };
  return run?.runId ?? loggedModel?.modelId;
}

function describe(body: JsonObject): string {
  const { run, loggedModel, experiment } = body as {
    run?: { runId: string };
    loggedModel?: { modelId: string };
    experiment?: { experimentId: string };
  };
  if (run) return `The run ${run.runId} needs it.`;
  if (loggedModel) return `The logged model ${loggedModel.modelId} needs it.`;
  return `The experiment ${experiment?.experimentId ?? ''} keeps its artifacts there.`;
}

function mentions(id: string): Filter {
  return { op: 'compare', test: 'eq', path: ['mentions', id], value: true };
}

function is(path: FieldPath, value: string): Filter {
  return { op: 'compare', test: 'eq', path, value };
}

/** URIs can percent-encode a path. */
function inside(path: FieldPath, value: string): Filter {
  const texts = new Set([`/${value}`, encodeURI(`/${value}`)]);
  const filters = [...texts].map((text): Filter => ({ op: 'match', how: 'contains', path, value: text }));
  return { op: 'or', filters };
}

/** Versions with an unresolved URI. */
function from(uri: string): Filter {
  return { op: 'match', how: 'startsWith', path: ['version', 'storageLocation'], value: uri };
}

function exists(path: FieldPath): Filter {
  return { op: 'exists', path };
}

function and(...filters: readonly Filter[]): Filter {
  return { op: 'and', filters };
}
