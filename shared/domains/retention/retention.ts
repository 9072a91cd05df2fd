import { AppError, isAppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { DocumentKey } from '../../platform/storage/documents.ts';
import { type ExperimentBody, experimentKey, loggedModelKey, runKey } from '../tracking/documents.ts';
import type { RetentionDeps } from './deps.ts';
import type { Collected, TrashEntry, TrashItem, TrashPage, TrashSubject } from './entities.ts';
import { pathOf } from './references.ts';
import { findRemoval, finishRemoval, type OwnedSubject, toSubject } from './removal.ts';
import { Outcomes, Remover } from './remover.ts';
import {
  openPosition,
  sealPosition,
  listContents,
  type WalkPosition,
  start,
  type SuspectedOrphan,
  walk,
} from './walk.ts';

export interface CollectOptions {
  readonly by: string;
  /** When to stop; the next call continues. Milliseconds since the Unix epoch. */
  readonly deadline: number;
}

const pageSize = 50;
const maxFilesCounted = 10_000;
const positionKey: DocumentKey = {
  container: metadataContainers.index,
  partition: 'retention-position',
  id: 'retention-position',
};

/**
 * Purges objects that were deleted a grace period ago, and orphaned artifacts. Keeps what a model version, a live run or
 * a live logged model refers to, whatever its age.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #remover: Remover;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
    this.#remover = new Remover(deps);
  }

  /** Lists one page of the trash: what is due, when, its size, and what keeps it. A page can be empty and have a cursor. */
  async list(request: { readonly cursor?: string | undefined; readonly limit: number }): Promise<TrashPage> {
    const position = request.cursor === undefined ? start : openPosition(request.cursor);
    const { entries, next } = await walk(this.#deps, position, Math.min(request.limit, pageSize));
    const items: TrashItem[] = [];
    for (const entry of entries) items.push(await this.#describe(entry));
    return next === undefined ? { items } : { items, cursor: sealPosition(next) };
  }

  /**
   * Completes interrupted removals, then purges what is due, from where the last collection stopped. Safe to run
   * concurrently.
   */
  async collect({ by, deadline }: CollectOptions): Promise<Collected> {
    const isOver = () => this.#deps.clock.now() >= deadline;
    const outcomes = new Outcomes();
    outcomes.addAll(await this.#remover.finishInterrupted(isOver));
    let position: WalkPosition | undefined = await this.#readPosition();
    while (position !== undefined && !isOver()) {
      const page: Awaited<ReturnType<typeof walk>> = await walk(this.#deps, position, pageSize);
      const due: TrashSubject[] = [];
      for (const entry of page.entries) if (await this.#isDue(entry)) due.push(entry.subject);
      await this.#removeUnneeded(due, by, outcomes);
      position = page.next;
      await this.#writePosition(position);
    }
    return { removed: outcomes.removed, kept: outcomes.kept, isDone: position === undefined };
  }

  /**
   * Purges one deleted run or logged model, whatever its age.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT when it is not deleted; PRECONDITION_FAILED with `details.keptBy`
   */
  async remove(kind: 'run' | 'loggedModel', id: string, by: string): Promise<void> {
    const experimentId = await this.#findExperiment(kind, id);
    const wanted: OwnedSubject = { kind, id, experimentId, name: '', artifactUri: '' };
    const started = await findRemoval(this.#deps.store, wanted);
    if (started?.body.removal.isConfirmed) return finishRemoval(this.#deps, started);
    const subject = started?.body.removal.subject ?? (await this.#requireDeleted(wanted));
    const outcomes = new Outcomes();
    if (started === undefined) await this.#removeUnneeded([subject], by, outcomes);
    else outcomes.add(subject, await this.#remover.finish(started));
    const [kept] = outcomes.kept;
    if (kept === undefined) return;
    const message = `The ${kind} ${id} is still needed. ${kept.keptBy.join(' ')}`;
    throw new AppError('PRECONDITION_FAILED', message, { keptBy: kept.keptBy });
  }

  /**
   * Purges a deleted experiment with everything in it that is not needed, whatever its age, until the deadline.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT when it is not deleted
   */
  async removeExperiment(id: string, { by, deadline }: CollectOptions): Promise<Collected> {
    const { store, clock } = this.#deps;
    const isId = /^[a-zA-Z0-9][\w-]{0,63}$/.test(id);
    const stored = isId ? await store.get<ExperimentBody>(experimentKey(id)) : undefined;
    if (stored === undefined)
      throw new AppError('NOT_FOUND', `There is no experiment ${id}.`, { experimentId: id });
    const { lifecycleStage, name } = stored.body.experiment;
    if (lifecycleStage !== 'deleted') throw notDeleted('experiment', id);
    const outcomes = new Outcomes();
    let cursor: string | undefined;
    do {
      const page = await listContents(store, id, { cursor, limit: pageSize });
      const subjects = page.documents.map(({ body }) => toSubject(body, id));
      await this.#removeUnneeded(subjects, by, outcomes);
      ({ cursor } = page);
    } while (cursor !== undefined && clock.now() < deadline);
    if (cursor === undefined) await this.#removeUnneeded([{ kind: 'experiment', id, name }], by, outcomes);
    return { removed: outcomes.removed, kept: outcomes.kept, isDone: cursor === undefined };
  }

  /** Checks an experiment only after its contents, which keep it. */
  async #removeUnneeded(subjects: readonly TrashSubject[], by: string, outcomes: Outcomes): Promise<void> {
    const unneeded: TrashSubject[] = [];
    for (const subject of subjects) {
      const keptBy = subject.kind === 'experiment' ? [] : await this.#remover.findReasons(subject);
      if (keptBy.length > 0) outcomes.add(subject, keptBy);
      else unneeded.push(subject);
    }
    outcomes.addAll(await this.#remover.remove(unneeded, by));
  }

  async #describe(entry: TrashEntry | SuspectedOrphan): Promise<TrashItem> {
    const { artifacts, clock, graceMs } = this.#deps;
    const { subject } = entry;
    const path = pathOf(subject);
    const { newestAt, ...measure } =
      path === undefined
        ? { files: 0, sizeBytes: 0, newestAt: 0, isPartial: false }
        : await artifacts.measure(path, maxFilesCounted);
    const deletedAt = entry.deletedAt ?? newestAt;
    const dueAt = deletedAt + graceMs;
    const reasons = await this.#remover.findReasons(subject);
    const keptBy = entry.deletedAt === undefined && measure.isPartial ? [...reasons, tooLarge] : reasons;
    return {
      subject,
      deletedAt,
      dueAt,
      ...measure,
      keptBy,
      goes: keptBy.length === 0 && dueAt <= clock.now(),
    };
  }

  async #isDue({ subject, deletedAt }: TrashEntry | SuspectedOrphan): Promise<boolean> {
    const { artifacts, clock, graceMs } = this.#deps;
    const cutoff = clock.now() - graceMs;
    if (deletedAt !== undefined) return deletedAt <= cutoff;
    const { newestAt, isPartial } = await artifacts.measure(subject.id, maxFilesCounted);
    return !isPartial && newestAt <= cutoff;
  }

  /** @throws NOT_FOUND */
  async #findExperiment(kind: 'run' | 'loggedModel', id: string): Promise<string> {
    const { locator } = this.#deps;
    const found = await (kind === 'run' ? locator.findRun(id) : locator.findLoggedModel(id));
    if (found === undefined) throw missing(kind, id);
    return found;
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async #requireDeleted({ kind, id, experimentId }: OwnedSubject): Promise<OwnedSubject> {
    const key = kind === 'run' ? runKey(experimentId, id) : loggedModelKey(experimentId, id);
    const stored = await this.#deps.store.get(key);
    if (stored === undefined) throw missing(kind, id);
    if (!(await this.#remover.isDeleted(stored.body, experimentId))) throw notDeleted(kind, id);
    return toSubject(stored.body, experimentId);
  }

  async #readPosition(): Promise<WalkPosition> {
    const stored = await this.#deps.store.get<{ readonly position?: string } & JsonObject>(positionKey);
    if (!stored?.body.position) return start;
    try {
      return openPosition(stored.body.position);
    } catch (error) {
      // Written by an older version of the platform.
      if (isAppError(error, 'INVALID_ARGUMENT')) return start;
      throw error;
    }
  }

  async #writePosition(position: WalkPosition | undefined): Promise<void> {
    await this.#deps.store.upsert(
      positionKey,
      position === undefined ? {} : { position: sealPosition(position) },
    );
  }
}

const tooLarge = `It has more than ${maxFilesCounted} files, too many to find the newest: delete it by its path.`;

function missing(kind: string, id: string): AppError {
  return new AppError('NOT_FOUND', `There is no ${kind} ${id}.`, { id });
}

function notDeleted(kind: string, id: string): AppError {
  return new AppError('INVALID_ARGUMENT', `The ${kind} ${id} is not deleted: delete it before purging it.`, {
    id,
  });
}
