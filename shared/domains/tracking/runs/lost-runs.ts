import { forEachSettled } from '../../../core/async/for-each-settled.ts';
import type { Logger } from '../../../core/logger.ts';
import { metadataContainers } from '../../../core/names.ts';
import type { Filter, MetadataStore } from '../../../platform/storage/documents.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';
import type { RunBody } from '../documents.ts';
import { giveUp } from './changes.ts';
import { lastWriteToleranceMs, type RunWriter } from './writer.ts';

/** How long a run may be silent, in minutes, where it is not the platform's usual time. */
export const maxSilenceTag = 'slipway.maxSilenceMinutes';
const maxSilenceMinutes = 525_600;

/** So many runs are looked at in one sweep, and as many of those with a time of their own. */
const maxLookedAt = 1_000;
const pageRuns = 100;

export interface LostRunsOptions {
  readonly store: MetadataStore;
  readonly writer: RunWriter;
  readonly pace: Pace;
  readonly silenceMinutes: number;
}

/**
 * Finds runs that say RUNNING while nothing was heard of them for long: their process was killed, or its machine is
 * gone, and nobody will ever end them. They become KILLED (FAILED would say that the code itself failed, which nobody
 * knows) with the tag `slipway.lostAt`, and end at their last write. A run that was only slow and logs again is
 * RUNNING again.
 */
export class LostRuns {
  readonly #options: LostRunsOptions;

  constructor(options: LostRunsOptions) {
    this.#options = options;
  }

  /**
   * One sweep, the longest silent first; harmless to repeat, and beside others.
   *
   * @returns how many runs were given up
   * @throws when the store fails; after the last run, the first failure that may pass
   */
  async sweep(logger: Logger): Promise<number> {
    const { silenceMinutes, pace } = this.#options;
    const hasOwn: Filter = { op: 'exists', path: ['tags', maxSilenceTag] };
    const silentSince = pace.clock.now() - silenceMs(silenceMinutes);
    const usual: Filter = {
      op: 'and',
      filters: [
        { op: 'lte', path: ['running', 'lastWriteAt'], value: silentSince },
        { op: 'not', filter: hasOwn },
      ],
    };
    return (await this.#sweep(usual, logger)) + (await this.#sweep(hasOwn, logger));
  }

  async #sweep(filter: Filter, logger: Logger): Promise<number> {
    let count = 0;
    await forEachSettled(
      this.#find(filter),
      async (run) => {
        if (!(await this.#giveUp(run))) return;
        count += 1;
        const { runId, experimentId } = run.run;
        logger.log('info', 'run given up', { runId, experimentId, lastWriteAt: run.points.lastWriteAt });
      },
      ({ run }, { code, message }) =>
        logger.log('warn', 'run could not be given up', { runId: run.runId, code, reason: message }),
    );
    return count;
  }

  async *#find(filter: Filter): AsyncGenerator<RunBody> {
    let cursor: string | undefined;
    let seen = 0;
    do {
      const page = await this.#options.store.list<RunBody>({
        container: metadataContainers.tracking,
        filter,
        // Only runs that are RUNNING have this member.
        sort: { path: ['running', 'lastWriteAt'], direction: 'asc' },
        limit: pageRuns,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const document of page.documents) yield document.body;
      seen += page.documents.length;
      cursor = page.cursor;
    } while (cursor !== undefined && seen < maxLookedAt);
  }

  async #giveUp(run: RunBody): Promise<boolean> {
    const { writer, pace, silenceMinutes } = this.#options;
    const now = pace.clock.now();
    const silentSince = now - silenceMs(readOwn(run) ?? silenceMinutes);
    if (run.points.lastWriteAt > silentSince) return false;
    // What was found may be out of date: the write looks again.
    const { result } = await writer.write(run.run.runId, (draft) => giveUp(draft, silentSince, now), {
      isSignOfLife: false,
    });
    return result;
  }
}

/** `lastWriteAt` may be late by so much. */
function silenceMs(minutes: number): number {
  return minutes * 60_000 + lastWriteToleranceMs;
}

function readOwn({ tags }: RunBody): number | undefined {
  const text = Object.hasOwn(tags, maxSilenceTag) ? tags[maxSilenceTag] : undefined;
  const minutes = Number(text);
  return text !== undefined && /^\d+$/.test(text) && minutes >= 1 && minutes <= maxSilenceMinutes
    ? minutes
    : undefined;
}
