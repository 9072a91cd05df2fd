import { AppError } from '../../../shared/core/errors.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import type {
  BlobBody,
  BlobLister,
  BlobProperties,
  BlobReader,
  BlobRef,
  BlobWriter,
} from '../../../shared/platform/storage/blobs.ts';

type TextBlobs = BlobReader & BlobWriter & BlobLister;

export type MemoryBlobs = TextBlobs & { files(): Readonly<Record<string, string>> };

/** Blobs of text by `container/name`, for tests of code that only puts, heads and lists. */
export function createMemoryBlobs(initial: Readonly<Record<string, string>>): MemoryBlobs {
  const files = new Map(Object.entries(initial));
  const keyOf = ({ container, name }: BlobRef) => `${container}/${name}`;
  const describe = (ref: BlobRef, text: string): BlobProperties => ({
    ref: { container: ref.container, name: ref.name },
    etag: sha256(text),
    sizeBytes: Buffer.byteLength(text),
    contentType: '',
    metadata: {},
    lastModified: 0,
  });
  const find = async (ref: BlobRef) => {
    const text = files.get(keyOf(ref));
    return text === undefined ? undefined : describe(ref, text);
  };
  const blobs: TextBlobs = {
    head: find,
    open: async (ref) => {
      const properties = await find(ref);
      if (properties === undefined) throw new AppError('NOT_FOUND', 'There is no such blob.');
      return { properties, body: once(files.get(keyOf(ref)) ?? '') };
    },
    put: async (ref, body, options) => {
      if (options?.ifAbsent && files.has(keyOf(ref))) throw new AppError('ALREADY_EXISTS', 'It is there.');
      files.set(keyOf(ref), await toText(body));
      return describe(ref, files.get(keyOf(ref)) ?? '');
    },
    list: async (container, { prefix = '' }) => ({
      blobs: [...files]
        .filter(([key]) => key.startsWith(`${container}/${prefix}`))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, text]) => describe({ container, name: key.slice(container.length + 1) }, text)),
    }),
  };
  return { ...blobs, files: () => Object.fromEntries(files) };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function toText(body: BlobBody): Promise<string> {
  if (typeof body === 'string') return body;
  return Buffer.concat(body instanceof Uint8Array ? [body] : await Array.fromAsync(body)).toString();
}
