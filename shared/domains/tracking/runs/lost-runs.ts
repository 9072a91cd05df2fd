import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import { forEachSettled } from '../../../core/async/for-each-settled.ts';
import type { Logger } from '../../../core/logger.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import type { Filter, MetadataStore } from '../../../platform/storage/documents.ts';
import type { RunBody } from '../documents.ts';
import { killIfSilent } from './changes.ts';
import { lastWriteToleranceMs, type RunWriter } from './writer.ts';

/** Overrides how long a run may be silent, in minutes. */
export const maxSilenceTag = 'slipway.maxSilenceMinutes';
const maxSilenceMinutes = 525_600;

/** Runs examined in one sweep; as many again of those with their own limit. */
const maxLookedAt = 1_000;
const pageRuns = 100;

export interface LostRunsDeps {
  readonly store: MetadataStore;
  readonly writer: Pick<RunWriter, 'write'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly silenceMinutes: number;
}

/**
 * Ends runs whose process died: RUNNING, but silent for too long. They become KILLED, because FAILED would claim that
 * the code failed; they get the tag `slipway.lostAt`, and end at their last write. A run that logs again is RUNNING
 * again.
 */
export class LostRuns {
  readonly #deps: LostRunsDeps;

  constructor(deps: LostRunsDeps) {
    this.#deps = deps;
  }

  /**
   * Sweeps once, the longest silent runs first. Safe to repeat, also concurrently.
   *
   * @returns how many runs were killed
   * @throws when the store fails; after the last run, the first failure that a retry can help
   */
  async sweep(logger: Logger): Promise<number> {
    const { silenceMinutes, clock } = this.#deps;
    const hasOwn: Filter = { op: 'exists', path: ['tags', maxSilenceTag] };
    const silentSince = clock.now() - silenceMs(silenceMinutes);
    const usual: Filter = {
      op: 'and',
      filters: [
        { op: 'compare', test: 'lte', path: ['running', 'lastWriteAt'], value: silentSince },
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
        if (!(await this.#kill(run))) return;
        count += 1;
        const { runId, experimentId } = run.run;
        logger.log('info', 'silent run killed', { runId, experimentId, lastWriteAt: run.points.lastWriteAt });
      },
      ({ run }, { code, message }) =>
        logger.log('warn', 'silent run not killed', { runId: run.runId, code, reason: message }),
    );
    return count;
  }

  async *#find(filter: Filter): AsyncGenerator<RunBody> {
    let cursor: string | undefined;
    let seen = 0;
    do {
      const page = await this.#deps.store.list<RunBody>({
        container: metadataContainers.tracking,
        filter,
        // Only RUNNING runs have this member.
        sort: { path: ['running', 'lastWriteAt'], direction: 'asc' },
        limit: pageRuns,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const document of page.documents) yield document.body;
      seen += page.documents.length;
      cursor = page.cursor;
    } while (cursor !== undefined && seen < maxLookedAt);
  }

  async #kill(run: RunBody): Promise<boolean> {
    const { writer, clock, silenceMinutes } = this.#deps;
    const now = clock.now();
    const silentSince = now - silenceMs(readOwn(run) ?? silenceMinutes);
    if (run.points.lastWriteAt > silentSince) return false;
    // The listing may be stale: the write checks again.
    const { result } = await writer.write(run.run.runId, (draft) => killIfSilent(draft, silentSince, now), {
      isSignOfLife: false,
    });
    return result;
  }
}

/** Allows for the tolerance of `lastWriteAt`. */
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
