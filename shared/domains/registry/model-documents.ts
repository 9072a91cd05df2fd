import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { findLastEventAt } from '../../platform/audit/audit-log.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { BatchOperation, MetadataStore } from '../../platform/storage/documents.ts';
import { retryConflicts } from '../../platform/storage/optimistic.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import {
  aliasId,
  aliasMoveId,
  type AliasBody,
  asJson,
  container,
  type StoredHead,
  type HeadBody,
  headId,
  type Marker,
  type Move,
  type MoveBody,
  nextEventAt,
  replaceHead,
  type RegistrationBody,
  registrationId,
  type StoredVersion,
  type VersionBody,
  versionId,
} from './documents.ts';
import { registryErrors } from './errors.ts';
import { empty, finishMove, getHead, guarded, type MoveDeps, settle } from './moves.ts';
import { checkModelName } from './rules.ts';

export interface RegistryDeps {
  readonly store: MetadataStore;
  readonly writer: Pick<AuditedWriter, 'commit'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Reads the documents of models, and writes each change of a model as one batch under its head's ETag. */
export class ModelDocuments {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly #writer: Pick<AuditedWriter, 'commit'>;

  constructor({ store, writer, clock, ids }: RegistryDeps) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.#writer = writer;
  }

  get #moveDeps(): MoveDeps {
    return { store: this.store, writer: this.#writer };
  }

  /** @returns undefined when there is no such model */
  async findHead(model: string): Promise<StoredHead | undefined> {
    checkModelName(model);
    const head = await getHead(this.store, model);
    if (head === undefined || head.body.kind === 'model') return head as StoredHead | undefined;
    if (head.body.kind !== 'claim') return undefined;
    // A rename is in progress, or was interrupted.
    return retryConflicts(`the model "${model}"`, this, async () => {
      const now = await getHead(this.store, model);
      if (now?.body.kind === 'claim') await settle(this.#moveDeps, model, now);
      const then = await getHead(this.store, model);
      return then?.body.kind === 'model' ? (then as StoredHead) : undefined;
    });
  }

  /** @throws NOT_FOUND */
  async getHead(model: string): Promise<StoredHead> {
    const head = await this.findHead(model);
    if (head === undefined) throw registryErrors.modelMissing({ model });
    return head;
  }

  async findVersion(model: string, version: number): Promise<StoredVersion | undefined> {
    if (!Number.isSafeInteger(version) || version < 1 || version > 9_999_999_999) return undefined;
    const stored = await this.#get<VersionBody | { kind: 'deletedVersion' }>(model, versionId(version));
    return stored?.body.kind === 'version' ? (stored as StoredVersion) : undefined;
  }

  /** @throws NOT_FOUND */
  async getVersion(model: string, version: number): Promise<StoredVersion> {
    // Without a head these are leftovers of a rename or deletion.
    const [head, stored] = await Promise.all([this.findHead(model), this.findVersion(model, version)]);
    if (!head || !stored) throw registryErrors.versionMissing({ model, version });
    return stored;
  }

  /** Finds the version that an idempotency key registered. */
  async findRegistered(model: string, key: string): Promise<number | undefined> {
    return (await this.#get<RegistrationBody>(model, registrationId(key)))?.body.version;
  }

  /** Finds the move of an alias that an idempotency key made. */
  async findMoved(model: string, key: string): Promise<AliasBody['alias'] | undefined> {
    return (await this.#get<MoveBody>(model, aliasMoveId(key)))?.body.moved;
  }

  async findAlias(model: string, alias: string): Promise<AliasBody['alias'] | undefined> {
    return (await this.#get<AliasBody>(model, aliasId(alias)))?.body.alias;
  }

  /**
   * Reads the head and runs the attempt; repeats both after a lost race.
   *
   * @param attempt gets undefined when there is no such model
   */
  async change<T>(model: string, attempt: (head: StoredHead | undefined) => Promise<T>): Promise<T> {
    checkModelName(model);
    return retryConflicts(`the model "${model}"`, this, async () => attempt(await this.#open(model)));
  }

  /** As `change`, for a model that must exist. @throws NOT_FOUND */
  async changeExisting<T>(model: string, attempt: (head: StoredHead) => Promise<T>): Promise<T> {
    return this.change(model, (head) => {
      if (head === undefined) throw registryErrors.modelMissing({ model });
      return attempt(head);
    });
  }

  async commit(
    model: string,
    operations: readonly BatchOperation[],
    entries: readonly AuditEntry[],
  ): Promise<void> {
    // Events of an earlier model of this name remain: continue after them.
    const isNew = operations.some(({ kind, id }) => kind === 'create' && id === headId);
    const last = isNew ? await findLastEventAt(this.store, container, model) : undefined;
    const earliest = Math.max(this.clock.now(), (last ?? -1) + 1);
    const ordered = orderEvents(operations, entries, earliest);
    await guarded(this.#writer.commit(container, model, ordered.operations, ordered.entries));
  }

  /**
   * Renames a model with all its versions and aliases. Idempotent.
   *
   * @throws NOT_FOUND, ALREADY_EXISTS
   */
  async rename(model: string, to: string, by: string): Promise<void> {
    checkModelName(to);
    checkModelName(model);
    const taken = await retryConflicts(`the model "${model}"`, this, async () => {
      const head = await this.#open(model);
      if (head === undefined) {
        const other = await this.findHead(to);
        if (other?.body.detail.renamedFrom === model) return false;
        throw registryErrors.modelMissing({ model });
      }
      if ((await this.findHead(to)) !== undefined) return true;
      const move: Move = { moveId: this.ids.uuid(), to, at: this.clock.now(), by };
      const locked: HeadBody = { ...head.body, detail: { ...head.body.detail, move } };
      await guarded(this.store.batch(container, model, [replaceHead(head, locked)]));
      return !(await this.#resume(model, move));
    });
    if (taken) throw registryErrors.nameTaken({ name: to, owner: 'model', wanted: 'model' });
  }

  /** Deletes a model with everything that belongs to it, except its events; the name is free again. */
  async remove(model: string, by: string, before: JsonObject): Promise<void> {
    await this.changeExisting(model, async (head) => {
      const marker: Marker = { kind: 'deleting' };
      await this.commit(
        model,
        [{ kind: 'replace', id: headId, body: asJson(marker), etag: head.etag }],
        [
          {
            by,
            action: registryActions.modelDeleted,
            subject: { kind: 'model', model },
            before,
            after: null,
            at: nextEventAt(head.body, this.clock.now()),
          },
        ],
      );
    });
    const left = await getHead(this.store, model);
    if (left?.body.kind === 'deleting')
      await empty(this.store, model, left).catch((error: unknown) => {
        // Another process is emptying it.
        if (!isAppError(error, 'PRECONDITION_FAILED')) throw error;
      });
  }

  /** Completes renames and deletions that crashes interrupted. @returns their number */
  async finishInterrupted(): Promise<number> {
    let count = 0;
    const unfinished = eachDocument(this.store, {
      container,
      filter: { op: 'in', path: ['kind'], values: ['claim', 'moved', 'deleting'] },
      limit: 100,
    });
    for await (const { partition } of unfinished) {
      await retryConflicts(`the model "${partition}"`, this, () => this.#open(partition));
      count += 1;
    }
    return count;
  }

  /** Reads the head after completing an interrupted rename or deletion. */
  async #open(model: string): Promise<StoredHead | undefined> {
    const head = await getHead(this.store, model);
    if (head === undefined) return undefined;
    if (head.body.kind !== 'model') {
      const { body } = head;
      await settle(this.#moveDeps, model, head);
      if (body.kind === 'claim') {
        const old = await getHead(this.store, body.claim.from);
        if (old?.body.kind === 'model' && old.body.detail.move?.moveId === body.claim.moveId)
          await this.#resume(body.claim.from, old.body.detail.move);
      }
    } else {
      const { move } = head.body.detail;
      if (move === undefined) return head as StoredHead;
      await this.#resume(model, move);
    }
    const settled = await getHead(this.store, model);
    if (settled === undefined) return undefined;
    if (settled.body.kind === 'model' && settled.body.detail.move === undefined) return settled as StoredHead;
    throw new AppError('PRECONDITION_FAILED', `The model "${model}" is being changed.`, { model });
  }

  /** @returns false when the move was cancelled because the new name is taken */
  async #resume(model: string, move: Move): Promise<boolean> {
    try {
      await finishMove(this.#moveDeps, model, move);
      return true;
    } catch (error) {
      if (registryErrors.nameTaken.is(error) && error.details.name === move.to) return false;
      throw error;
    }
  }

  #get<T>(partition: string, id: string) {
    return this.store.get<T & JsonObject>({ container, partition, id });
  }
}

/** Sets the time of events after the last one of the model, and stores it in the head written with them. */
function orderEvents(
  operations: readonly BatchOperation[],
  entries: readonly AuditEntry[],
  earliest: number,
): { readonly operations: readonly BatchOperation[]; readonly entries: readonly AuditEntry[] } {
  const index = operations.findIndex(
    (operation) =>
      operation.kind !== 'delete' && operation.id === headId && operation.body['kind'] === 'model',
  );
  const operation = operations[index];
  if (operation === undefined || operation.kind === 'delete' || entries.length === 0)
    return { operations, entries };
  const head = operation.body as unknown as HeadBody;
  const at = nextEventAt(head, earliest);
  const body = asJson({ ...head, detail: { ...head.detail, eventAt: at } });
  return {
    operations: operations.with(index, { ...operation, body }),
    entries: entries.map((entry) => ({ ...entry, at })),
  };
}
