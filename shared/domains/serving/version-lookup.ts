import type { Clock } from '../../core/clock.ts';
import { AppError, retryIntent } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { Lru } from '../../core/lru.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import type { ModelVersion } from '../registry/entities.ts';
import type { Registry } from '../registry/registry.ts';

/** How stale an alias may be. */
const aliasAgeMs = 2_000;
/** How long a request waits for an alias that is known but stale. */
const aliasPatienceMs = 500;
const maxCachedAliases = 1_000;

export type ScoreTarget =
  { readonly model: string; readonly version: number } | { readonly model: string; readonly alias: string };

export interface VersionLookupDeps {
  readonly registry: {
    readonly versions: Pick<Registry['versions'], 'get'>;
    readonly aliases: Pick<Registry['aliases'], 'get'>;
  };
  readonly clock: Clock;
  readonly logger: Logger;
}

interface CachedAlias {
  readonly version: ModelVersion;
  readonly readAt: number;
}

/** Finds the version that a request means. During an outage of metadata, aliases point where they last pointed. */
export class VersionLookup {
  readonly #deps: VersionLookupDeps;
  readonly #aliases = new Lru<string, CachedAlias>({ maxCost: maxCachedAliases });

  constructor(deps: VersionLookupDeps) {
    this.#deps = deps;
  }

  /** @throws AppError NOT_FOUND; what the registry throws for a target that was never read. */
  async find(target: ScoreTarget): Promise<ModelVersion> {
    const { registry, clock, logger } = this.#deps;
    if ('version' in target) return registry.versions.get(target.model, target.version);
    const key = `${target.model}\n${target.alias}`;
    const cached = this.#aliases.get(key);
    if (cached && clock.now() - cached.readAt < aliasAgeMs) return cached.version;
    const read = async () => {
      const alias = await registry.aliases.get(target.model, target.alias);
      if (cached?.version.version === alias.version) return cached.version;
      return registry.versions.get(target.model, alias.version);
    };
    try {
      const version = await (cached
        ? withTimeout({ timeoutMs: aliasPatienceMs, toError: noAnswer }, read)
        : read());
      this.#aliases.set(key, { version, readAt: clock.now() });
      return version;
    } catch (error) {
      if (!cached || retryIntent(error) === 'never') throw error;
      // As if it had been read: the next requests do not wait for the same outage.
      this.#aliases.set(key, { version: cached.version, readAt: clock.now() });
      logger.log('warn', 'serving the last known version', { ...target, detail: String(error) });
      return cached.version;
    }
  }
}

function noAnswer(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `No answer within ${timeoutMs} ms.`, { timeoutMs });
}
