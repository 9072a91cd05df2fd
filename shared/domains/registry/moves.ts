import { findLastEventAt } from '../../platform/audit/audit-log.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
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

/*
 * A model's name is its partition, and no batch spans two: renaming is a move. It is safe to break off anywhere, and
 * for any number of callers to go on with at once:
 *
 * 1. the old head gets the move (a lock: whoever wants to change the model meanwhile finishes the move first);
 * 2. the new name is claimed, or the move is called off when it is taken;
 * 3. everything is copied, each batch under the claim's ETag;
 * 4. the old head becomes a marker: from here on the model has its new name;
 * 5. the claim becomes the head; 6. the old partition is emptied, each batch under the marker's ETag.
 */

export type Stored = StoredDocument<(HeadBody | Marker) & JsonObject>;

export interface MoveServices {
  readonly store: MetadataStore;
  readonly writer: AuditedWriter;
}

/** A document that went away under a writer's hands is a race that was lost, as a stale ETag is. */
export async function guarded<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isAppError(error, 'NOT_FOUND')) throw error;
    throw new AppError('PRECONDITION_FAILED', 'It was removed meanwhile.', error.details, error);
  }
}

/** Fits a batch of 100 together with the guard; bodies can be of 2 MB. */
const maxOperations = 90;
const maxBatchBytes = 1_500_000;

export async function getHead(store: MetadataStore, model: string): Promise<Stored | undefined> {
  return store.get<(HeadBody | Marker) & JsonObject>({ container, partition: model, id: headId });
}

/**
 * Goes on with a move from wherever it is; does nothing when it is done or was called off.
 *
 * @throws ALREADY_EXISTS when the new name is taken: the move is called off; PRECONDITION_FAILED when somebody else
 *   is at it, too: try again
 */
export async function finishMove(services: MoveServices, from: string, move: Move): Promise<void> {
  const { store, writer } = services;
  const old = await getHead(store, from);
  if (old?.body.kind === 'model' && old.body.detail.move?.moveId === move.moveId) {
    await copyAll(services, from, move, await claim(services, old, move));
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
  await activate(services, move.to, move.moveId);
  await empty(store, from, left);
}

async function claim(services: MoveServices, old: Stored, move: Move): Promise<Stored> {
  const { store } = services;
  const taken = await getHead(store, move.to);
  if (taken?.body.kind === 'claim' && taken.body.claim.moveId === move.moveId) return taken;
  if (taken !== undefined) {
    if (taken.body.kind !== 'model') {
      await settle(services, move.to, taken);
      throw new AppError('PRECONDITION_FAILED', `The name "${move.to}" has just become free.`);
    }
    const { move: _, ...detail } = (old.body as HeadBody).detail;
    const unlocked: HeadBody = { ...(old.body as HeadBody), detail };
    await guarded(store.replace(old, asJson(unlocked), old.etag));
    throw new AppError('ALREADY_EXISTS', `Registered Model (name=${move.to}) already exists.`, {
      taken: move.to,
    });
  }
  const { model, tags, detail } = old.body as HeadBody;
  const { move: _, ...kept } = detail;
  // The name may have been another model's before: its events stay.
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
    return (await store.create(
      { container, partition: move.to, id: headId },
      asJson(body),
    )) as unknown as Stored;
  } catch (error) {
    if (!isAppError(error, 'ALREADY_EXISTS')) throw error;
    throw new AppError('PRECONDITION_FAILED', 'Somebody else was first; look again.', {}, error);
  }
}

async function copyAll({ store }: MoveServices, from: string, move: Move, claimed: Stored): Promise<void> {
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
  const version = (body as unknown as VersionBody).version;
  return { ...body, version: { ...version, model: move.to, updatedAt: move.at } };
}

/** The new name's events begin with where the model came from: its history is under the old name. */
async function activate({ store, writer }: MoveServices, model: string, moveId: string): Promise<void> {
  const claimed = await getHead(store, model);
  if (claimed?.body.kind !== 'claim' || claimed.body.claim.moveId !== moveId) return;
  const { claim, detail } = claimed.body;
  // After the event under the old name, which is the head's next.
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

/** Removes everything but events, and the marker last. @throws PRECONDITION_FAILED when it is not the head any more */
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
 * Finishes what a marker stands for.
 *
 * @throws PRECONDITION_FAILED when somebody else is at it, too
 */
export async function settle(services: MoveServices, model: string, marker: Stored): Promise<void> {
  const { store } = services;
  const { body } = marker;
  switch (body.kind) {
    case 'model':
      return;
    case 'deleting':
      return empty(store, model, marker);
    case 'moved':
      await activate(services, body.moved.to, body.moved.moveId);
      return empty(store, model, marker);
    case 'claim': {
      const old = await getHead(store, body.claim.from);
      if (old?.body.kind === 'moved' && old.body.moved.moveId === body.claim.moveId)
        return settle(services, body.claim.from, old);
      // The name was claimed by a move that was called off: it is free.
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
