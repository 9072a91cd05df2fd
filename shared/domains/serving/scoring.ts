import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import type { ModelFile, ModelVersion } from '../registry/entities.ts';
import type { Registry } from '../registry/registry.ts';
import type { BlobStore } from '../../platform/storage/blobs.ts';
import { packRowsInSlices } from './pack-rows.ts';
import type { ModelSource, Scorer } from './scorer.ts';
import type { Signature } from './signature.ts';

/** An alias may have moved this long ago without this instance knowing. */
const aliasAgeMs = 2_000;
/** How long a request waits to hear where an alias points now, when what it pointed at is known. */
const aliasPatienceMs = 500;
const maxModelBytes = 512 * 2 ** 20;
const maxCachedTargets = 1_000;

export type ScoreTarget =
  { readonly model: string; readonly version: number } | { readonly model: string; readonly alias: string };

export interface ScoringOptions {
  readonly registry: Pick<Registry, 'aliases' | 'versions'>;
  readonly blobs: BlobStore;
  readonly scorer: Scorer;
  readonly maxRows: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface CachedAlias {
  readonly version: ModelVersion;
  readonly readAt: number;
}

/** The probability that the answer is yes, and the answer at the usual threshold of one half. */
export interface Prediction {
  readonly probability: number;
  readonly label: boolean;
}

/** Answers for model versions. What was served keeps being served while the metadata store is away. */
export class Scoring {
  readonly #options: ScoringOptions;
  /** In the order of their reading: the oldest goes first when there are too many. */
  readonly #aliases = new Map<string, CachedAlias>();

  constructor(options: ScoringOptions) {
    this.#options = options;
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT (naming row and column), UNPROCESSABLE (the model cannot be served) */
  async score(
    target: ScoreTarget,
    rows: unknown,
  ): Promise<{ readonly version: ModelVersion; readonly predictions: readonly Prediction[] }> {
    const { scorer, maxRows } = this.#options;
    const version = await this.#resolve(target);
    const source = this.#source(version);
    const signature = await this.#signatureOf(version, source);
    const packed = await packRowsInSlices(signature, rows, { maxRows });
    const { probabilities } = await scorer.score(source, packed);
    const predictions = Array.from(probabilities, (probability) => ({
      probability,
      label: probability >= 0.5,
    }));
    return { version, predictions };
  }

  /** Opens a version, so that one that cannot be served says so before it is deployed. */
  async probe(target: ScoreTarget): Promise<Signature> {
    const version = await this.#resolve(target);
    return this.#signatureOf(version, this.#source(version));
  }

  async #resolve(target: ScoreTarget): Promise<ModelVersion> {
    const { registry, clock } = this.#options;
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
      this.#remember(key, { version, readAt: clock.now() });
      return version;
    } catch (error) {
      if (!cached || (isAppError(error) && !error.retry)) throw error;
      // Remembered as if it had been read: the next requests do not wait for the same outage.
      this.#remember(key, { version: cached.version, readAt: clock.now() });
      this.#options.logger.log('warn', 'serving the last known version', {
        ...target,
        detail: String(error),
      });
      return cached.version;
    }
  }

  #remember(key: string, entry: CachedAlias): void {
    this.#aliases.delete(key);
    this.#aliases.set(key, entry);
    if (this.#aliases.size <= maxCachedTargets) return;
    const [oldest] = this.#aliases.keys();
    if (oldest !== undefined) this.#aliases.delete(oldest);
  }

  #source(version: ModelVersion): ModelSource {
    const { file } = version;
    if (file === undefined) throw unservable(version);
    return { sha256: file.sha256, load: () => this.#load(version, file) };
  }

  async #signatureOf(version: ModelVersion, source: ModelSource): Promise<Signature> {
    const { signature, inputs } = await this.#options.scorer.describe(source);
    if (signature) return signature;
    throw new AppError(
      'UNPROCESSABLE',
      `${version.model} version ${version.version} cannot be served by rows: its inputs are not single columns.`,
      { inputs },
    );
  }

  async #load(version: ModelVersion, file: ModelFile): Promise<Uint8Array> {
    if (file.sizeBytes > maxModelBytes) {
      throw new AppError(
        'UNPROCESSABLE',
        `A model over ${maxModelBytes} bytes cannot be served in real time.`,
      );
    }
    // Asked first, so that no more is read than was registered.
    const stored = await this.#options.blobs.head(file);
    if (stored?.sizeBytes !== file.sizeBytes) throw lost(version, stored ? 'changed' : 'are gone');
    const { body } = await this.#options.blobs.open(file, { ifMatch: stored.etag });
    const bytes = Buffer.concat(await Array.fromAsync(body));
    if (sha256(bytes) !== file.sha256) throw lost(version, 'changed');
    return bytes;
  }
}

function unservable({ model, version, serving }: ModelVersion): AppError {
  const why = serving.status === 'ready' ? 'its model file is not known' : serving.reason;
  return new AppError('UNPROCESSABLE', `${model} version ${version} cannot be served: ${why}`, {
    model,
    version,
  });
}

/** Not NOT_FOUND: the model is there, and the caller did nothing wrong. */
function lost({ model, version, sha256: expected }: ModelVersion, how: string): AppError {
  return new AppError('UNPROCESSABLE', `The stored bytes of ${model} version ${version} ${how}.`, {
    expected,
  });
}

function noAnswer(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `No answer within ${timeoutMs} ms.`, { timeoutMs });
}
