import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import { AppError, isAppError, toAppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { type Pace, retryConflicts } from '../../../platform/storage/optimistic.ts';
import { type RunBody, runKey } from '../documents.ts';
import type { Locator } from '../locator.ts';
import { Lru } from '../../../core/lru.ts';
import { addToHistory, hasLargeAddition } from './add-to-history.ts';
import { RunDraft } from './draft.ts';

/** See `RunDraft` for what a change may do. What it returns, its caller gets. */
export type RunChange<T> = (draft: RunDraft) => T;

export interface WrittenRun<T> {
  readonly body: RunBody;
  readonly result: T;
}

export interface RunWriterOptions {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly locator: Locator;
  readonly pace: Pace;
}

interface Pending {
  /** Whether the write shows that whoever executes the run is alive. */
  readonly isSignOfLife: boolean;
  readonly change: RunChange<unknown>;
  readonly resolve: (written: WrittenRun<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

interface Known {
  readonly draft: RunDraft;
  readonly etag: string;
}

/** One write has at most 100 operations, one of them the run, and one event or two for each change. */
const maxMerged = 40;
/** Drafts of the runs written last, so that the next write needs no read. In characters of JSON. */
const cacheWeight = 16 * 2 ** 20;
/** `lastWriteAt` moves no more often: a document's index would have to follow. */
export const lastWriteToleranceMs = 60_000;

/**
 * The one way to change a run. Writers of the same run in this process queue up and are merged into one write; those of
 * other processes are told apart by the ETag.
 */
export class RunWriter {
  readonly #options: RunWriterOptions;
  readonly #queues = new Map<string, Pending[]>();
  readonly #known = new Lru<string, Known>({ maxCost: cacheWeight });

  constructor(options: RunWriterOptions) {
    this.#options = options;
  }

  /** @throws NOT_FOUND; what the change throws; RATE_LIMITED when too many processes write at once */
  write<T>(
    runId: string,
    change: RunChange<T>,
    { isSignOfLife = true }: { readonly isSignOfLife?: boolean } = {},
  ): Promise<WrittenRun<T>> {
    return new Promise<WrittenRun<T>>((resolve, reject) => {
      const pending: Pending = {
        isSignOfLife,
        change,
        resolve: (written) => resolve(written as WrittenRun<T>),
        reject,
      };
      const queue = this.#queues.get(runId);
      if (queue !== undefined) {
        queue.push(pending);
        return;
      }
      this.#queues.set(runId, [pending]);
      void this.#drain(runId);
    });
  }

  /** Never throws: what goes wrong is told to those who wait. */
  async #drain(runId: string): Promise<void> {
    const queue = this.#queues.get(runId)!;
    while (queue.length > 0) {
      const merged = queue.splice(0, maxMerged);
      await this.#writeMerged(runId, merged).catch(async (error: unknown) => {
        this.#known.delete(runId);
        // One that asks too much must not take the others with it.
        if (merged.length > 1 && isAppError(error, 'INVALID_ARGUMENT'))
          for (const one of merged) await this.#writeMerged(runId, [one]).catch(one.reject);
        else for (const one of merged) one.reject(error);
      });
    }
    this.#queues.delete(runId);
  }

  async #writeMerged(runId: string, merged: readonly Pending[]): Promise<void> {
    const experimentId = await this.#options.locator.findRun(runId);
    if (experimentId === undefined) throw noSuchRun(runId);
    const newChunks = new Set<string>();
    const done = await retryConflicts(`the run ${runId}`, this.#options.pace, async () => {
      const cached = this.#known.get(runId);
      // Whatever happens from here on, the draft may be changed without being written.
      this.#known.delete(runId);
      const write = (known: Known, isFresh: boolean) =>
        this.#tryWrite(experimentId, known, merged, newChunks, isFresh);
      return (
        (cached === undefined ? undefined : await write(cached, false)) ??
        write(await this.#load(experimentId, runId), true)
      );
    });
    // Another process came first, and what it wrote forbids what was accepted at first.
    for (const id of newChunks)
      if (!done!.chunks.includes(id))
        await this.#options.store.delete({ container: metadataContainers.tracking, partition: runId, id });
    done!.settle();
  }

  /**
   * @returns undefined when a draft from memory gives no sure answer: a refusal, or that nothing is to be done, can be
   * out of date, and there was no write whose ETag would have told
   */
  async #tryWrite(
    experimentId: string,
    known: Known,
    merged: readonly Pending[],
    newChunks: Set<string>,
    isFresh: boolean,
  ): Promise<Written | undefined> {
    const { draft } = known;
    const { store, audited, pace } = this.#options;
    const { runId } = draft.info;
    const outcomes = merged.map(({ change }) => attempt(change, draft));
    const isSure = isFresh || (outcomes.every((outcome) => outcome.ok) && !hasLargeAddition(draft));
    if (!isSure) return undefined;
    const now = pace.clock.now();
    const isAlive = merged.some(({ isSignOfLife }, index) => isSignOfLife && outcomes[index]!.ok);
    if (isAlive && now - draft.info.lastWriteAt >= lastWriteToleranceMs) draft.set('lastWriteAt', now);
    const chunks = await addToHistory(draft, store, pace);
    for (const { id, isNew } of chunks) if (isNew) newChunks.add(id);
    if (!draft.isChanged && !isFresh) return undefined;
    let { etag } = known;
    const body = draft.toBody();
    if (draft.isChanged) {
      const { etags } = await audited.commit(
        metadataContainers.tracking,
        experimentId,
        [{ kind: 'replace', id: runKey(experimentId, runId).id, body, etag }],
        draft.entries,
      );
      etag = etags[0]!;
    }
    draft.settle();
    this.#known.set(runId, { draft, etag }, draft.weight);
    return {
      chunks: chunks.map(({ id }) => id),
      settle: () =>
        merged.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index]!;
          if (outcome.ok) resolve({ body, result: outcome.result });
          else reject(outcome.error);
        }),
    };
  }

  async #load(experimentId: string, runId: string): Promise<Known> {
    const stored = await this.#options.store.get<RunBody>(runKey(experimentId, runId));
    if (stored === undefined) throw noSuchRun(runId);
    return { draft: new RunDraft(stored.body), etag: stored.etag };
  }
}

interface Written {
  /** Points of their own that belong to what was written. */
  readonly chunks: readonly string[];
  /** Tells those who wait. */
  readonly settle: () => void;
}

type Outcome =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: unknown };

function attempt(change: RunChange<unknown>, draft: RunDraft): Outcome {
  try {
    return { ok: true, result: change(draft) };
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
}

export function noSuchRun(runId: string): AppError {
  return new AppError('NOT_FOUND', `Run with id=${runId} not found`, { runId });
}
