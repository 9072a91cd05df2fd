import { findLastEventAt } from '../../platform/audit/audit-log.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import {
  asJson,
  container,
  type HeadBody,
  headId,
  type Marker,
  type Move,
  movingKinds,
  nextEventAt,
  type VersionBody,
} from './documents.ts';
import { registryErrors } from './errors.ts';

/*
 * Renaming is a move between partitions, because a model's name is its partition and no batch spans two. It can be
 * interrupted anywhere, and any number of processes can continue it concurrently:
 *
 * 1. Write the move to the old head. This locks it: writers complete the move first.
 * 2. Claim the new name; cancel the move when it is taken.
 * 3. Copy everything, each batch under the claim's ETag.
 * 4. Replace the old head by a marker: the model has its new name now.
 * 5. Replace the claim by the head.
 * 6. Empty the old partition, each batch under the marker's ETag.
 */

export type Stored = StoredDocument<(HeadBody | Marker) & JsonObject>;

export interface MoveDeps {
  readonly store: MetadataStore;
  readonly writer: Pick<AuditedWriter, 'commit'>;
}

/** Treats a document that was deleted before the write as a lost race, like a stale ETag. */
export async function guarded<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isAppError(error, 'NOT_FOUND')) throw error;
    throw new AppError('PRECONDITION_FAILED', 'The document was deleted concurrently.', error.details, error);
  }
}

/** A batch has 100 operations, with the guard; a body can have 2 MB. */
const maxOperations = 90;
const maxBatchBytes = 1_500_000;

export async function getHead(store: MetadataStore, model: string): Promise<Stored | undefined> {
  return store.get<(HeadBody | Marker) & JsonObject>({ container, partition: model, id: headId });
}

/**
 * Continues a move from its current step; does nothing when it is complete or cancelled.
 *
 * @throws ALREADY_EXISTS when the new name is taken, which cancels the move; PRECONDITION_FAILED after a lost race
 */
export async function finishMove(deps: MoveDeps, from: string, move: Move): Promise<void> {
  const { store, writer } = deps;
  const old = await getHead(store, from);
  if (old?.body.kind === 'model' && old.body.detail.move?.moveId === move.moveId) {
    await copyAll(deps, from, move, await claim(deps, old, move));
    const marker: Marker = { kind: 'moved', moved: { to: move.to, moveId: move.moveId } };
    const event: AuditEntry = {
      by: move.by,
      action: registryActions.modelRenamed,
      subject: { kind: 'model', model: from },
      before: { name: from },
      after: { name: move.to },
      at: nextEventAt(old.body, move.at),
    };
    await guarded(
      writer.commit(
        container,
        from,
        [{ kind: 'replace', id: headId, body: asJson(marker), etag: old.etag }],
        [event],
      ),
    );
  }
  const left = await getHead(store, from);
  if (left?.body.kind !== 'moved' || left.body.moved.moveId !== move.moveId) return;
  await activate(deps, move.to, move.moveId);
  await empty(store, from, left);
}

async function claim(deps: MoveDeps, old: Stored, move: Move): Promise<Stored> {
  const { store } = deps;
  const taken = await getHead(store, move.to);
  if (taken?.body.kind === 'claim' && taken.body.claim.moveId === move.moveId) return taken;
  if (taken !== undefined) {
    if (taken.body.kind !== 'model') {
      await settle(deps, move.to, taken);
      throw new AppError('PRECONDITION_FAILED', `The name "${move.to}" became free just now.`);
    }
    const { move: _, ...detail } = (old.body as HeadBody).detail;
    const unlocked: HeadBody = { ...(old.body as HeadBody), detail };
    await guarded(store.replace(old, asJson(unlocked), old.etag));
    throw registryErrors.nameTaken({ name: move.to, owner: 'model', wanted: 'model' });
  }
  const { model, tags, detail } = old.body as HeadBody;
  const { move: _, ...kept } = detail;
  // Events of an earlier model of this name remain: continue after them.
  const last = await findLastEventAt(store, container, move.to);
  const head: HeadBody = {
    kind: 'model',
    model: { ...model, name: move.to, updatedAt: move.at },
    tags,
    detail: { ...kept, renamedFrom: model.name, eventAt: Math.max(kept.eventAt ?? 0, last ?? 0) },
  };
  const body: Marker = {
    kind: 'claim',
    claim: { from: model.name, moveId: move.moveId, by: move.by, at: move.at },
    detail: { head },
  };
  try {
    return (await store.create({ container, partition: move.to, id: headId }, asJson(body))) as Stored;
  } catch (error) {
    if (!isAppError(error, 'ALREADY_EXISTS')) throw error;
    throw new AppError('PRECONDITION_FAILED', 'Another process claimed the name first.', {}, error);
  }
}

async function copyAll({ store }: MoveDeps, from: string, move: Move, claimed: Stored): Promise<void> {
  let etag = claimed.etag;
  let cursor: string | undefined;
  do {
    const page = await store.list<JsonObject>({
      container,
      partition: from,
      filter: { op: 'in', path: ['kind'], values: movingKinds },
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const group of groupBySize(page.documents)) {
      const [guard] = await guarded(
        store.batch(container, move.to, [
          { kind: 'replace', id: headId, body: claimed.body, etag },
          ...group.map(({ id, body }): BatchOperation => ({ kind: 'upsert', id, body: renamed(body, move) })),
        ]),
      );
      etag = guard!;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function renamed(body: JsonObject, move: Move): JsonObject {
  if (body['kind'] !== 'version') return body;
  const version = (body as VersionBody).version;
  return { ...body, version: { ...version, model: move.to, updatedAt: move.at } };
}

/** Replaces the claim by the head. The first event under the new name points to the old one, which has the history. */
async function activate({ store, writer }: MoveDeps, model: string, moveId: string): Promise<void> {
  const claimed = await getHead(store, model);
  if (claimed?.body.kind !== 'claim' || claimed.body.claim.moveId !== moveId) return;
  const { claim, detail } = claimed.body;
  // After the event under the old name.
  const eventAt = nextEventAt(detail.head, claim.at) + 1;
  const head: HeadBody = { ...detail.head, detail: { ...detail.head.detail, eventAt } };
  const event: AuditEntry = {
    by: claim.by,
    action: registryActions.modelRenamed,
    subject: { kind: 'model', model },
    before: { name: claim.from },
    after: { name: model },
    at: eventAt,
  };
  await guarded(
    writer.commit(
      container,
      model,
      [{ kind: 'replace', id: headId, body: asJson(head), etag: claimed.etag }],
      [event],
    ),
  );
}

/** Deletes everything but events, the marker last. @throws PRECONDITION_FAILED after a lost race */
export async function empty(store: MetadataStore, model: string, marker: Stored): Promise<void> {
  let { etag } = marker;
  for (;;) {
    const page = await store.list({
      container,
      partition: model,
      filter: { op: 'in', path: ['kind'], values: movingKinds },
      limit: maxOperations,
    });
    if (page.documents.length === 0 && page.cursor === undefined) break;
    const [guard] = await guarded(
      store.batch(container, model, [
        { kind: 'replace', id: headId, body: marker.body, etag },
        ...page.documents.map(({ id }): BatchOperation => ({ kind: 'delete', id })),
      ]),
    );
    etag = guard!;
  }
  await guarded(store.delete(marker, etag));
}

/**
 * Completes the interrupted operation of a marker.
 *
 * @throws PRECONDITION_FAILED after a lost race
 */
export async function settle(deps: MoveDeps, model: string, marker: Stored): Promise<void> {
  const { store } = deps;
  const { body } = marker;
  switch (body.kind) {
    case 'model':
      return;
    case 'deleting':
      return empty(store, model, marker);
    case 'moved':
      await activate(deps, body.moved.to, body.moved.moveId);
      return empty(store, model, marker);
    case 'claim': {
      const old = await getHead(store, body.claim.from);
      if (old?.body.kind === 'moved' && old.body.moved.moveId === body.claim.moveId)
        return settle(deps, body.claim.from, old);
      // The move was cancelled: free the name.
      if (old?.body.kind !== 'model' || old.body.detail.move?.moveId !== body.claim.moveId)
        return empty(store, model, marker);
      return;
    }
  }
}

function groupBySize(documents: readonly StoredDocument[]): StoredDocument[][] {
  const groups: StoredDocument[][] = [];
  let bytes = Infinity;
  for (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document.body));
    const last = groups.at(-1);
    if (last === undefined || last.length >= maxOperations || bytes + size > maxBatchBytes) {
      groups.push([document]);
      bytes = size;
    } else {
      last.push(document);
      bytes += size;
    }
  }
  return groups;
}
