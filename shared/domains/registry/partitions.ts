import { findLastEventAt } from '../../platform/audit/audit-log.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { BatchOperation, MetadataStore } from '../../platform/storage/documents.ts';
import { type Pace, retryConflicts } from '../../platform/storage/optimistic.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import {
  aliasId,
  type AliasBody,
  asJson,
  container,
  type Head,
  type HeadBody,
  headId,
  type Marker,
  type Move,
  nextEventAt,
  replaceHead,
  type RunBody,
  runDocumentId,
  type StoredVersion,
  type VersionBody,
  versionId,
} from './documents.ts';
import { empty, finishMove, getHead, guarded, type MoveServices, settle } from './moves.ts';
import { checkModelName } from './rules.ts';

export interface RegistryStores {
  readonly store: MetadataStore;
  readonly writer: AuditedWriter;
  readonly pace: Pace;
}

/** The registry's documents: reads them, and makes every change of a model one batch under its head's ETag. */
export class Partitions {
  readonly store: MetadataStore;
  readonly pace: Pace;
  readonly #writer: AuditedWriter;

  constructor({ store, writer, pace }: RegistryStores) {
    this.store = store;
    this.pace = pace;
    this.#writer = writer;
  }

  get #services(): MoveServices {
    return { store: this.store, writer: this.#writer };
  }

  /** @returns undefined when there is no such model */
  async findHead(model: string): Promise<Head | undefined> {
    checkModelName(model);
    const head = await getHead(this.store, model);
    if (head === undefined || head.body.kind === 'model') return head as Head | undefined;
    if (head.body.kind !== 'claim') return undefined;
    // Renamed, but the last steps are missing; or not renamed yet.
    return retryConflicts(`the model "${model}"`, this.pace, async () => {
      const now = await getHead(this.store, model);
      if (now?.body.kind === 'claim') await settle(this.#services, model, now);
      const then = await getHead(this.store, model);
      return then?.body.kind === 'model' ? (then as Head) : undefined;
    });
  }

  /** @throws NOT_FOUND */
  async getHead(model: string): Promise<Head> {
    return (await this.findHead(model)) ?? refuseUnknownModel(model);
  }

  async findVersion(model: string, version: number): Promise<StoredVersion | undefined> {
    if (!Number.isSafeInteger(version) || version < 1 || version > 9_999_999_999) return undefined;
    const stored = await this.#get<VersionBody | { kind: 'deletedVersion' }>(model, versionId(version));
    return stored?.body.kind === 'version' ? (stored as StoredVersion) : undefined;
  }

  /** @throws NOT_FOUND */
  async getVersion(model: string, version: number): Promise<StoredVersion> {
    // The head says whether what lies here is a model's at all: it could be on its way to another name.
    const [head, stored] = await Promise.all([this.findHead(model), this.findVersion(model, version)]);
    return (head && stored) ?? refuseUnknownVersion(model, version);
  }

  /** @returns the version that a pipeline run registered */
  async findRun(model: string, run: string): Promise<number | undefined> {
    return (await this.#get<RunBody>(model, runDocumentId(run)))?.body.version;
  }

  async findAlias(model: string, alias: string): Promise<AliasBody['alias'] | undefined> {
    return (await this.#get<AliasBody>(model, aliasId(alias)))?.body.alias;
  }

  /**
   * Reads the head, lets the attempt decide, and begins anew when somebody else changed the model meanwhile.
   *
   * @param attempt gets undefined when there is no such model
   */
  async change<T>(model: string, attempt: (head: Head | undefined) => Promise<T>): Promise<T> {
    checkModelName(model);
    return retryConflicts(`the model "${model}"`, this.pace, async () => attempt(await this.#open(model)));
  }

  /** As `change`, for a model that must be there. @throws NOT_FOUND */
  async changeExisting<T>(model: string, attempt: (head: Head) => Promise<T>): Promise<T> {
    return this.change(model, (head) => (head === undefined ? refuseUnknownModel(model) : attempt(head)));
  }

  async commit(
    model: string,
    operations: readonly BatchOperation[],
    entries: readonly AuditEntry[],
  ): Promise<void> {
    // The name may have been another model's before: its events stay.
    const isNew = operations.some(({ kind, id }) => kind === 'create' && id === headId);
    const last = isNew ? await findLastEventAt(this.store, container, model) : undefined;
    const told = tellInOrder(operations, entries, Math.max(this.pace.clock.now(), (last ?? -1) + 1));
    await guarded(this.#writer.commit(container, model, told.operations, told.entries));
  }

  /**
   * Gives a model another name, with all its versions and aliases. Asked again after it succeeded, it succeeds.
   *
   * @throws NOT_FOUND, ALREADY_EXISTS
   */
  async rename(model: string, to: string, by: string): Promise<void> {
    checkModelName(to);
    checkModelName(model);
    const taken = await retryConflicts(`the model "${model}"`, this.pace, async () => {
      const head = await this.#open(model);
      if (head === undefined) {
        const other = await this.findHead(to);
        return other?.body.detail.renamedFrom === model ? false : refuseUnknownModel(model);
      }
      if ((await this.findHead(to)) !== undefined) return true;
      const move: Move = { moveId: this.pace.ids.uuid(), to, at: this.pace.clock.now(), by };
      const locked: HeadBody = { ...head.body, detail: { ...head.body.detail, move } };
      await guarded(this.store.batch(container, model, [replaceHead(head, locked)]));
      return !(await this.#resume(model, move));
    });
    if (taken)
      throw new AppError('ALREADY_EXISTS', `Registered Model (name=${to}) already exists.`, { name: to });
  }

  /** Removes a model with all that belongs to it; its name is free again, its history of events stays. */
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
            at: nextEventAt(head.body, this.pace.clock.now()),
          },
        ],
      );
    });
    const left = await getHead(this.store, model);
    if (left?.body.kind === 'deleting')
      await empty(this.store, model, left).catch((error: unknown) => {
        // Somebody else empties it.
        if (!isAppError(error, 'PRECONDITION_FAILED')) throw error;
      });
  }

  /** Finishes what crashes left half done: renames and deletions. @returns how many there were */
  async finishInterrupted(): Promise<number> {
    let count = 0;
    const unfinished = eachDocument(this.store, {
      container,
      filter: { op: 'in', path: ['kind'], values: ['claim', 'moved', 'deleting'] },
      limit: 100,
    });
    for await (const { partition } of unfinished) {
      await retryConflicts(`the model "${partition}"`, this.pace, () => this.#open(partition));
      count += 1;
    }
    return count;
  }

  /** The head, once whatever was unfinished here is finished. */
  async #open(model: string): Promise<Head | undefined> {
    const head = await getHead(this.store, model);
    if (head === undefined) return undefined;
    if (head.body.kind !== 'model') {
      const { body } = head;
      await settle(this.#services, model, head);
      if (body.kind === 'claim') {
        const old = await getHead(this.store, body.claim.from);
        if (old?.body.kind === 'model' && old.body.detail.move?.moveId === body.claim.moveId)
          await this.#resume(body.claim.from, old.body.detail.move);
      }
    } else {
      const { move } = head.body.detail;
      if (move === undefined) return head as Head;
      await this.#resume(model, move);
    }
    const settled = await getHead(this.store, model);
    if (settled === undefined) return undefined;
    if (settled.body.kind === 'model' && settled.body.detail.move === undefined) return settled as Head;
    throw new AppError('PRECONDITION_FAILED', `The model "${model}" is being changed.`, { model });
  }

  /** @returns false when the move was called off because the new name is taken */
  async #resume(model: string, move: Move): Promise<boolean> {
    try {
      await finishMove(this.#services, model, move);
      return true;
    } catch (error) {
      if (isAppError(error, 'ALREADY_EXISTS') && error.details['taken'] === move.to) return false;
      throw error;
    }
  }

  #get<T>(partition: string, id: string) {
    return this.store.get<T & JsonObject>({ container, partition, id });
  }
}

function refuseUnknownModel(model: string): never {
  throw new AppError('NOT_FOUND', `Registered Model with name=${model} not found`, { model });
}

export function refuseUnknownVersion(model: string, version: number | string): never {
  throw new AppError('NOT_FOUND', `Model Version (name=${model}, version=${version}) not found`, {
    model,
    version,
  });
}

/** Gives events their time, and keeps it in the head that is written with them. */
function tellInOrder(
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
