import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { DocumentKey, Filter, MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { toBody } from '../../platform/storage/page.ts';
import { loggedModelKey, loggedModelPointerKey, runKey, runPointerKey } from '../tracking/documents.ts';
import { experimentOfRunId } from '../tracking/run-id.ts';
import type { TrashSubject } from './entities.ts';
import { pathOf } from './references.ts';

export type OwnedSubject = Extract<TrashSubject, { kind: 'run' | 'loggedModel' }>;

type SubjectId = Pick<OwnedSubject, 'kind' | 'experimentId' | 'id'>;

/** Replaces a run or logged model during its removal: nothing can read or change it any more. */
export type RemovalBody = {
  readonly kind: 'removal';
  readonly removal: {
    readonly subject: OwnedSubject;
    readonly by: string;
    readonly at: number;
    /** Artifacts are being deleted: the removal cannot be undone. */
    readonly isConfirmed?: true;
  };
  /** The original document, for undoing. */
  readonly detail: { readonly body: JsonObject };
} & JsonObject;

export type StoredRemoval = StoredDocument<RemovalBody>;

export interface RemovalDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
}

const { tracking } = metadataContainers;
const deletesAtOnce = 100;

/**
 * Removes in idempotent steps; after a crash the record remains, and any process can continue.
 *
 * 1. `begin` replaces the document by a record of the removal, in one batch. From here on nothing can refer to the
 *    object, restore it or write to it.
 * 2. The caller checks once more for references, and calls `undo` if there are any.
 * 3. `finish` deletes artifacts, metric history and the pointer if any, and last the record, in one batch with the event.
 *
 * @param isDeleted checks the document again: it may have been restored
 * @returns undefined when the document is missing, or was changed concurrently
 */
export async function beginRemoval(
  { store, clock }: RemovalDeps,
  subject: OwnedSubject,
  by: string,
  isDeleted: (body: JsonObject) => Promise<boolean>,
): Promise<StoredRemoval | undefined> {
  const key = keyOf(subject);
  const stored = await store.get<JsonObject>(key);
  if (stored === undefined || !(await isDeleted(stored.body))) return undefined;
  const removal = { subject: { ...subject }, by, at: clock.now() };
  const body = toBody({ kind: 'removal', removal, detail: { body: stored.body } }) as RemovalBody;
  const record = recordKey(subject);
  try {
    const [, etag] = await store.batch(tracking, subject.experimentId, [
      { kind: 'delete', id: key.id, etag: stored.etag },
      { kind: 'create', id: record.id, body },
    ]);
    return { ...record, etag: etag!, body };
  } catch (error) {
    if (isAppError(error, 'PRECONDITION_FAILED') || isAppError(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Restores the original document. */
export async function undoRemoval({ store }: RemovalDeps, { body, etag, id }: StoredRemoval): Promise<void> {
  const { subject } = body.removal;
  await store.batch(tracking, subject.experimentId, [
    { kind: 'delete', id, etag },
    { kind: 'create', id: keyOf(subject).id, body: body.detail.body },
  ]);
}

export async function finishRemoval(
  { store, audited, artifacts }: RemovalDeps,
  begun: StoredRemoval,
): Promise<void> {
  const confirmed = await unlessOvertaken(confirm(store, begun));
  if (confirmed === undefined) return;
  const { etag, id } = confirmed;
  const { subject, by } = confirmed.body.removal;
  const path = pathOf(subject);
  if (path !== undefined) await artifacts.remove(path);
  // The run's own partition has its metric history.
  if (subject.kind === 'run') await deleteDocuments(store, subject.id);
  const pointer = pointerOf(subject);
  if (pointer !== undefined) await store.delete(pointer).catch(ignoreMissing);
  const last = [{ kind: 'delete', id, etag }] as const;
  await unlessOvertaken(audited.commit(tracking, subject.experimentId, last, [toEntry(subject, by)]));
}

async function confirm(store: MetadataStore, begun: StoredRemoval): Promise<StoredRemoval> {
  const { removal } = begun.body;
  if (removal.isConfirmed) return begun;
  return store.replace(begun, { ...begun.body, removal: { ...removal, isConfirmed: true } }, begun.etag);
}

/** @returns undefined when another process is ahead */
async function unlessOvertaken<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step;
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND') || isAppError(error, 'PRECONDITION_FAILED')) return undefined;
    throw error;
  }
}

/** Deletes all documents of a partition that a filter selects. */
export async function deleteDocuments(
  store: MetadataStore,
  partition: string,
  filter?: Filter,
): Promise<void> {
  for (;;) {
    const query = { container: tracking, partition, limit: deletesAtOnce, ...(filter ? { filter } : {}) };
    const { documents, cursor } = await store.list(query);
    const operations = documents.map(({ id }) => ({ kind: 'delete', id }) as const);
    if (operations.length > 0) await store.batch(tracking, partition, operations).catch(ignoreMissing);
    else if (cursor === undefined) return;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isAppError(error, 'NOT_FOUND')) throw error;
}

function toEntry(subject: OwnedSubject, by: string): AuditEntry {
  const { kind, id, experimentId, name, artifactUri } = subject;
  return {
    by,
    action: `${kind}.purged`,
    subject: kind === 'run' ? { kind, experimentId, runId: id } : { kind, experimentId, modelId: id },
    before: { name, artifactUri },
    after: null,
  };
}

/** @returns undefined for a run whose id contains its experiment */
function pointerOf({ kind, id }: OwnedSubject): DocumentKey | undefined {
  if (kind === 'loggedModel') return loggedModelPointerKey(id);
  return experimentOfRunId(id) === undefined ? runPointerKey(id) : undefined;
}

function keyOf({ kind, experimentId, id }: SubjectId): DocumentKey {
  return kind === 'run' ? runKey(experimentId, id) : loggedModelKey(experimentId, id);
}

function recordKey(subject: SubjectId): DocumentKey {
  const { container, partition, id } = keyOf(subject);
  return { container, partition, id: `removal-${id}` };
}

/** Finds a removal in progress. */
export async function findRemoval(
  store: MetadataStore,
  subject: SubjectId,
): Promise<StoredRemoval | undefined> {
  return store.get<RemovalBody>(recordKey(subject));
}

/** The subject of a run's or logged model's document. */
export function toSubject(body: JsonObject, experimentId: string): OwnedSubject {
  const { run, loggedModel } = body as {
    run?: { runId: string; name: string; artifactUri: string };
    loggedModel?: { modelId: string; name: string; artifactLocation: string };
  };
  if (run) return { kind: 'run', id: run.runId, experimentId, name: run.name, artifactUri: run.artifactUri };
  const { modelId: id, name, artifactLocation: artifactUri } = loggedModel!;
  return { kind: 'loggedModel', id, experimentId, name, artifactUri };
}
