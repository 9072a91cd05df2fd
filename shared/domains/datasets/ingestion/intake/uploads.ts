import { AppError } from '../../../../core/errors.ts';
import type { Logger } from '../../../../core/logger.ts';
import { blobContainers } from '../../../../core/names/resources.ts';
import type { BlobRef, BlobWriter } from '../../../../platform/storage/blobs.ts';
import type { Mode } from '../../entities.ts';
import type { Landing } from './landing.ts';

export interface UploadsDeps {
  readonly blobs: BlobWriter;
  readonly landing: Pick<Landing, 'onLanding'>;
}

export interface UploadsOptions {
  /** Of the platform's own account: `https://<account>.blob.core.windows.net`. */
  readonly accountUrl: string;
  readonly maxFileBytes: number;
}

export interface Started {
  readonly runId: string;
  readonly container: string;
  readonly name: string;
}

interface Wishes {
  readonly dataset: string;
  readonly mode?: Mode | undefined;
}

/** Files uploaded over HTTP, and blobs of the account that a caller names. They are ingested as dropped files are. */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #options: UploadsOptions;

  constructor(deps: UploadsDeps, options: UploadsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @throws INVALID_ARGUMENT for a name that no blob can have; PAYLOAD_TOO_LARGE; CANCELLED when the body breaks off */
  async upload(
    request: Wishes & {
      readonly file: string;
      /** Names, separated by commas, or a JSON array. */
      readonly keys?: string | undefined;
      readonly bytes: AsyncIterable<Uint8Array>;
    },
    logger: Logger,
  ): Promise<Started> {
    const { dataset, file, mode, keys, bytes } = request;
    const ref = { container: blobContainers.landing, name: `${dataset}/${file}` };
    const metadata = {
      ...(mode === undefined ? {} : { mode }),
      // Metadata is ASCII: JSON can escape other letters.
      ...(keys === undefined ? {} : { keys: toAscii(keys) }),
    };
    await this.#deps.blobs.put(ref, this.#bounded(bytes), { metadata });
    return this.start(ref, logger);
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT for a URL of another account; PERMISSION_DENIED for containers of the platform's own */
  async register(
    { url, dataset, mode, keys }: Wishes & { readonly url: string; readonly keys?: string[] | undefined },
    logger: Logger,
  ): Promise<Started> {
    const ref = this.#toRef(url);
    const run = await this.#deps.landing.onLanding(ref, logger, {
      dataset,
      ...(mode === undefined ? {} : { mode }),
      ...(keys === undefined ? {} : { keys }),
    });
    if (!run) throw new AppError('NOT_FOUND', `There is no blob ${ref.container}/${ref.name}.`, { ...ref });
    return { runId: run.runId, ...ref };
  }

  /** Starts the ingestion of a blob without waiting for its event: both are one run. */
  async start(ref: BlobRef, logger: Logger): Promise<Started> {
    const run = await this.#deps.landing.onLanding(ref, logger);
    if (!run)
      throw new AppError('SUPERSEDED', `${ref.name} was removed before it could be ingested.`, { ...ref });
    return { runId: run.runId, ...ref };
  }

  async *#bounded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { maxFileBytes } = this.#options;
    let sizeBytes = 0;
    for await (const chunk of bytes) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxFileBytes)
        throw new AppError(
          'PAYLOAD_TOO_LARGE',
          `The file has more than ${maxFileBytes} bytes; the setting SLIPWAY_LANDING_FILE_BYTES raises the limit.`,
          { maxBytes: maxFileBytes },
        );
      yield chunk;
    }
  }

  #toRef(url: string): BlobRef {
    const base = this.#options.accountUrl.replace(/\/+$/, '');
    const { origin, pathname } = new URL(url);
    const path = `${origin}${pathname}`;
    const [container, ...rest] = path.startsWith(`${base}/`) ? path.slice(base.length + 1).split('/') : [];
    const name = decodeName(rest.join('/'));
    if (container === undefined || name === undefined || name === '')
      throw new AppError(
        'INVALID_ARGUMENT',
        `The URL is not one of a blob in this platform's storage: ${base}/<container>/<name>.`,
      );
    if (isOwn(container))
      throw new AppError(
        'PERMISSION_DENIED',
        `Data cannot be ingested from the container "${container}", which is the platform's own.`,
        { container },
      );
    return { container, name };
  }
}

/** Containers with the host's secrets, and those of the platform itself. */
function isOwn(container: string): boolean {
  const ours = Object.values(blobContainers).filter((name) => name !== blobContainers.landing);
  return (
    container.startsWith('azure-webjobs') ||
    container.startsWith('$') ||
    (ours as string[]).includes(container)
  );
}

function decodeName(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function toAscii(keys: string): string {
  if (/^[!-~]([ -~]*[!-~])?$/.test(keys)) return keys;
  const names = keys.trimStart().startsWith('[')
    ? keys
    : JSON.stringify(keys.split(',').map((key) => key.trim()));
  return names.replaceAll(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
