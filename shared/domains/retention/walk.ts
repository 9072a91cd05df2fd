import { z } from 'zod';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { joinPath } from '../artifacts/artifact-path.ts';
import { cursorErrors, openCursor, sealCursor } from '../../core/cursor.ts';
import type { JsonValue } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { DocumentKey, DocumentPage, Filter, MetadataStore } from '../../platform/storage/documents.ts';
import {
  type ExperimentBody,
  loggedModelPointerKey,
  type RunBody,
  runKey,
  runPointerKey,
} from '../tracking/documents.ts';
import type { LoggedModelBody } from '../tracking/logged-models/documents.ts';
import { experimentOfRunId } from '../tracking/run-id.ts';
import type { TrashEntry, TrashSubject } from './entities.ts';
import { findRemoval } from './removal.ts';

/** The position of a walk through the trash, stored after each page so that another process can continue. */
const positionSchema = z.discriminatedUnion('stage', [
  z.object({ stage: z.enum(['runs', 'loggedModels']), cursor: z.string().optional() }),
  z.object({
    stage: z.literal('experiments'),
    cursor: z.string().optional(),
    inside: z
      .object({
        id: z.string(),
        name: z.string(),
        deletedAt: z.number(),
        cursor: z.string().optional(),
      })
      .optional(),
  }),
  z.object({
    stage: z.literal('orphans'),
    folders: z.array(z.object({ path: z.string(), cursor: z.string().optional() })),
  }),
]);
export type WalkPosition = z.infer<typeof positionSchema>;

export const start: WalkPosition = { stage: 'runs' };

/** One page of the walk. Orphans are only suspected: their age and references are unknown yet. */
export interface WalkPage {
  readonly entries: readonly (TrashEntry | SuspectedOrphan)[];
  readonly next?: WalkPosition;
}

export interface SuspectedOrphan {
  readonly subject: Extract<TrashSubject, { kind: 'orphan' }>;
  readonly deletedAt?: undefined;
}

export interface WalkDeps {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
}

const { tracking } = metadataContainers;

const query = 'trash';

export function sealPosition(position: WalkPosition): string {
  return sealCursor(query, position as JsonValue);
}

/** @throws INVALID_ARGUMENT for a cursor of another query, or a damaged one */
export function openPosition(cursor: string): WalkPosition {
  return openCursor(query, cursor, positionSchema);
}

/**
 * Reads one page of the trash: deleted runs and logged models, then deleted experiments with their contents, then
 * orphaned artifacts. A page can be empty and have a next one.
 *
 * @throws INVALID_ARGUMENT for an invalid position
 */
export async function walk(deps: WalkDeps, position: WalkPosition, limit: number): Promise<WalkPage> {
  switch (position.stage) {
    case 'runs': {
      const page = await listDeleted<RunBody>(deps.store, 'run', position.cursor, limit);
      const entries = page.documents.map(({ body }) => fromRun(body, body.run.deletedAt ?? 0));
      return {
        entries,
        next: page.cursor ? { stage: 'runs', cursor: page.cursor } : { stage: 'loggedModels' },
      };
    }
    case 'loggedModels': {
      const page = await listDeleted<LoggedModelBody>(deps.store, 'loggedModel', position.cursor, limit);
      const entries = page.documents.map(({ body }) => fromModel(body, body.loggedModel.deletedAt ?? 0));
      const next: WalkPosition = page.cursor
        ? { stage: 'loggedModels', cursor: page.cursor }
        : { stage: 'experiments' };
      return { entries, next };
    }
    case 'experiments':
      return walkExperiments(deps.store, position, limit);
    case 'orphans':
      return walkOrphans(deps, position.folders, limit);
  }
}

async function listDeleted<Body extends RunBody | LoggedModelBody | ExperimentBody>(
  store: MetadataStore,
  kind: 'run' | 'loggedModel' | 'experiment',
  cursor: string | undefined,
  limit: number,
): Promise<DocumentPage<Body>> {
  return store.list<Body>({
    container: tracking,
    filter: { op: 'compare', test: 'eq', path: [kind, 'lifecycleStage'], value: 'deleted' },
    sort: { path: [kind, 'deletedAt'], direction: 'asc' },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
}

/** The contents of a deleted experiment that were not deleted individually, page by page, then the experiment. */
async function walkExperiments(
  store: MetadataStore,
  { cursor, inside }: Extract<WalkPosition, { stage: 'experiments' }>,
  limit: number,
): Promise<WalkPage> {
  if (inside === undefined) {
    const page = await listDeleted<ExperimentBody>(store, 'experiment', cursor, 1);
    const after = page.cursor === undefined ? {} : { cursor: page.cursor };
    const found = page.documents[0]?.body.experiment;
    if (found === undefined)
      return { entries: [], next: page.cursor ? { stage: 'experiments', ...after } : firstOrphans };
    const { experimentId: id, name, deletedAt = 0 } = found;
    return { entries: [], next: { stage: 'experiments', ...after, inside: { id, name, deletedAt } } };
  }
  const outer = cursor === undefined ? {} : { cursor };
  const page = await listContents(store, inside.id, { cursor: inside.cursor, limit });
  // Individually deleted contents came before.
  const entries = page.documents.flatMap(({ body }) => {
    if (body.kind === 'run')
      return body.run.lifecycleStage === 'active' ? [fromRun(body, inside.deletedAt)] : [];
    return body.loggedModel.lifecycleStage === 'active' ? [fromModel(body, inside.deletedAt)] : [];
  });
  const subject: TrashSubject = { kind: 'experiment', id: inside.id, name: inside.name };
  if (page.cursor === undefined) {
    const all = [...entries, { subject, deletedAt: inside.deletedAt }];
    return { entries: all, next: cursor === undefined ? firstOrphans : { stage: 'experiments', ...outer } };
  }
  return {
    entries,
    next: { stage: 'experiments', ...outer, inside: { ...inside, cursor: page.cursor } },
  };
}

/** The runs and logged models of an experiment, in any stage. */
export async function listContents(
  store: MetadataStore,
  experimentId: string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<DocumentPage<RunBody | LoggedModelBody>> {
  const exists = (...path: [string, string]): Filter => ({ op: 'exists', path });
  return store.list<RunBody | LoggedModelBody>({
    container: tracking,
    partition: experimentId,
    filter: { op: 'or', filters: [exists('run', 'runId'), exists('loggedModel', 'modelId')] },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
}

const firstOrphans: WalkPosition = { stage: 'orphans', folders: [{ path: '' }] };

/** Whether a folder contains those of owners instead of being one: the first level, and `models` below it. */
function isBranch(path: string): boolean {
  return path === '' || /^[^/]+(?:\/models)?$/.test(path);
}

async function walkOrphans(
  { store, artifacts }: WalkDeps,
  folders: readonly { readonly path: string; readonly cursor?: string | undefined }[],
  limit: number,
): Promise<WalkPage> {
  const [folder, ...others] = folders;
  if (folder === undefined) return { entries: [] };
  if (!isBranch(folder.path)) throw cursorErrors.cursorInvalid();
  const { path, cursor } = folder;
  const page = await artifacts.list(path, { limit, ...(cursor === undefined ? {} : { cursor }) });
  const branches: { path: string }[] = [];
  const entries: SuspectedOrphan[] = [];
  for (const entry of page.entries) {
    const id = joinPath(path, entry.name);
    const isFolder = entry.kind === 'folder';
    if (isFolder && isBranch(id)) branches.push({ path: id });
    else if (!isFolder || !(await isOwned(store, entry.name)))
      entries.push({ subject: { kind: 'orphan', id, isFolder } });
  }
  const rest = page.cursor === undefined ? [] : [{ path, cursor: page.cursor }];
  const next = [...branches, ...rest, ...others];
  return next.length === 0 ? { entries } : { entries, next: { stage: 'orphans', folders: next } };
}

/**
 * Whether a folder has an owner: it is named after the run or logged model. An owner that is being removed keeps its
 * folder, because the removal can still be undone. If it is undone between the two reads, the folder counts as an orphan,
 * but the search for references finds the run.
 */
async function isOwned(store: MetadataStore, name: string): Promise<boolean> {
  if (!/^(?:m-)?[0-9a-f]{32}$/.test(name)) return false;
  const has = async (key: DocumentKey) => (await store.get(key)) !== undefined;
  if (name.startsWith('m-')) return has(loggedModelPointerKey(name));
  const experimentId = experimentOfRunId(name);
  if (experimentId === undefined) return has(runPointerKey(name));
  if (await has(runKey(experimentId, name))) return true;
  return (await findRemoval(store, { kind: 'run', id: name, experimentId })) !== undefined;
}

function fromRun({ run }: RunBody, deletedAt: number): TrashEntry {
  const { runId: id, experimentId, name, artifactUri } = run;
  return { subject: { kind: 'run', id, experimentId, name, artifactUri }, deletedAt };
}

function fromModel({ loggedModel }: LoggedModelBody, deletedAt: number): TrashEntry {
  const { modelId: id, experimentId, name, artifactLocation: artifactUri } = loggedModel;
  return { subject: { kind: 'loggedModel', id, experimentId, name, artifactUri }, deletedAt };
}
