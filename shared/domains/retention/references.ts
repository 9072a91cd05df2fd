import type { JsonObject } from '../../core/json.ts';
import { artifactScheme, mlflowTags } from '../../core/mlflow-names.ts';
import { metadataContainers } from '../../core/names.ts';
import { readArtifactUri, isOwnArtifactUri } from '../artifacts/artifact-uri.ts';
import type { Filter, FieldPath, MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import type { LifecycleStage } from '../tracking/entities.ts';
import type { TrashSubject } from './entities.ts';

const maxReasons = 10;
const pageSize = 50;

export interface ReferenceDeps {
  readonly store: MetadataStore;
  readonly readStages: (experimentIds: Iterable<string>) => Promise<ReadonlyMap<string, LifecycleStage>>;
}

/**
 * What still refers to something, as sentences; at most ten. Asked of indexes, one question for each kind of owner:
 *
 * - model versions, of any model: by run, by logged model, or by where their files are;
 * - live runs: by the models and datasets they read, and by being its children; live logged models: by their run;
 * - whatever else has its place within the same folder.
 *
 * That a run made a logged model does not keep the model: it was deleted by itself.
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
      if (subject.id === '0') yield 'It is the experiment that is always there.';
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

/** Where the artifacts of a run or logged model are; undefined when they are kept elsewhere, or not to be touched. */
export function pathOf(subject: TrashSubject): string | undefined {
  if (subject.kind === 'orphan') return subject.id;
  if (subject.kind === 'experiment' || !isOwnArtifactUri(subject.artifactUri)) return undefined;
  const path = readArtifactUri(subject.artifactUri);
  // Only a folder of its own: the id stands in its path.
  return path.split('/').includes(subject.id) ? path : undefined;
}

/** Others that have their place in a folder, or model versions whose files are a folder above it. */
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

/** Those of the found runs and logged models that are not deleted, nor their experiment. */
async function* live(deps: ReferenceDeps, filter: Filter, except?: string): AsyncGenerator<string> {
  for await (const { body, partition } of find(deps, metadataContainers.tracking, filter)) {
    const { lifecycleStage } = (body['run'] ?? body['loggedModel']) as { lifecycleStage: LifecycleStage };
    if (lifecycleStage === 'deleted' || idOf(body) === except) continue;
    const stages = await deps.readStages([partition]);
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
  return { op: 'eq', path: ['mentions', id], value: true };
}

function is(path: FieldPath, value: string): Filter {
  return { op: 'eq', path, value };
}

/** URIs may say a path with percent-encodings. */
function inside(path: FieldPath, value: string): Filter {
  const texts = new Set([`/${value}`, encodeURI(`/${value}`)]);
  const filters = [...texts].map((text): Filter => ({ op: 'contains', path, value: text }));
  return { op: 'or', filters };
}

/** Versions registered from a URI that is not resolved. */
function from(uri: string): Filter {
  return { op: 'startsWith', path: ['version', 'storageLocation'], value: uri };
}

function exists(path: FieldPath): Filter {
  return { op: 'exists', path };
}

function and(...filters: readonly Filter[]): Filter {
  return { op: 'and', filters };
}
