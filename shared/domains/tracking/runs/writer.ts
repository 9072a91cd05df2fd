import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import { isAppError, toAppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { retryConflicts } from '../../../platform/storage/optimistic.ts';
import { type RunBody, runKey } from '../documents.ts';
import { trackingErrors } from '../errors.ts';
import type { Locator } from '../locator.ts';
import { Lru } from '../../../core/lru.ts';
import { addToHistory, hasLargeAddition } from './add-to-history.ts';
import { RunDraft } from './draft.ts';

/** See `RunDraft` for what a change may do. Its result goes to the caller of `write`. */
export type RunChange<T> = (draft: RunDraft) => T;

export interface WrittenRun<T> {
  readonly body: RunBody;
  readonly result: T;
}

export interface RunWriterDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly locator: Pick<Locator, 'findRun'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

interface Pending {
  /** Whether the write proves that the run's process is alive. */
  readonly isSignOfLife: boolean;
  readonly change: RunChange<unknown>;
  readonly resolve: (written: WrittenRun<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

interface Known {
  readonly draft: RunDraft;
  readonly etag: string;
}

/** A batch has at most 100 operations: the run, and up to two events for each change. */
const maxMerged = 40;
/** Of the drafts kept for the next write, in characters of JSON. */
const cacheWeight = 16 * 2 ** 20;
/** `lastWriteAt` is updated no more often, because each update touches an index. */
export const lastWriteToleranceMs = 60_000;

/**
 * Writes all changes of runs. Merges concurrent changes of one run in this process into one write; the ETag detects
 * the writes of other processes.
 */
export class RunWriter {
  readonly #deps: RunWriterDeps;
  readonly #queues = new Map<string, Pending[]>();
  readonly #known = new Lru<string, Known>({ maxCost: cacheWeight });

  constructor(deps: RunWriterDeps) {
    this.#deps = deps;
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

  /** Never throws: failures reject the pending writes. */
  async #drain(runId: string): Promise<void> {
    const queue = this.#queues.get(runId)!;
    while (queue.length > 0) {
      const merged = queue.splice(0, maxMerged);
      await this.#writeMerged(runId, merged).catch(async (error: unknown) => {
        this.#known.delete(runId);
        // One oversized change must not fail the others.
        if (merged.length > 1 && isAppError(error, 'INVALID_ARGUMENT'))
          for (const one of merged) await this.#writeMerged(runId, [one]).catch(one.reject);
        else for (const one of merged) one.reject(error);
      });
    }
    this.#queues.delete(runId);
  }

  async #writeMerged(runId: string, merged: readonly Pending[]): Promise<void> {
    const experimentId = await this.#deps.locator.findRun(runId);
    if (experimentId === undefined) throw trackingErrors.runMissing({ runId });
    const newChunks = new Set<string>();
    const done = await retryConflicts(`the run ${runId}`, this.#deps, async () => {
      const cached = this.#known.get(runId);
      // From here on the draft may be changed without being written.
      this.#known.delete(runId);
      const write = (known: Known, isFresh: boolean) =>
        this.#tryWrite(experimentId, known, merged, newChunks, isFresh);
      return (
        (cached === undefined ? undefined : await write(cached, false)) ??
        write(await this.#load(experimentId, runId), true)
      );
    });
    // Chunks of an attempt that lost to another process, whose write then refused the change.
    for (const id of newChunks)
      if (!done!.chunks.includes(id))
        await this.#deps.store.delete({ container: metadataContainers.tracking, partition: runId, id });
    done!.settle();
  }

  /**
   * @returns undefined when a cached draft is not authoritative: a refusal or a no-op can be stale, and without a write
   * no ETag is checked
   */
  async #tryWrite(
    experimentId: string,
    known: Known,
    merged: readonly Pending[],
    newChunks: Set<string>,
    isFresh: boolean,
  ): Promise<Written | undefined> {
    const { draft } = known;
    const { store, audited, clock } = this.#deps;
    const { runId } = draft.info;
    const outcomes = merged.map(({ change }) => attempt(change, draft));
    const isSure = isFresh || (outcomes.every((outcome) => outcome.ok) && !hasLargeAddition(draft));
    if (!isSure) return undefined;
    const now = clock.now();
    const isAlive = merged.some(({ isSignOfLife }, index) => isSignOfLife && outcomes[index]!.ok);
    if (isAlive && now - draft.info.lastWriteAt >= lastWriteToleranceMs) draft.set('lastWriteAt', now);
    const chunks = await addToHistory(draft, store, this.#deps);
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
    const stored = await this.#deps.store.get<RunBody>(runKey(experimentId, runId));
    if (stored === undefined) throw trackingErrors.runMissing({ runId });
    return { draft: new RunDraft(stored.body), etag: stored.etag };
  }
}

interface Written {
  /** Ids of the chunks that the write added. */
  readonly chunks: readonly string[];
  /** Settles the pending writes. */
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
