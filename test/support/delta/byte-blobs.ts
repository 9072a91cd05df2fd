import { blobErrors } from '../../../shared/platform/storage/blob-errors.ts';
import { AppError } from '../../../shared/core/errors.ts';
import type {
  BlobBody,
  BlobLister,
  BlobProperties,
  BlobReader,
  BlobRef,
  BlobWriter,
  PutOptions,
} from '../../../shared/platform/storage/blobs.ts';

export interface ByteBlobs {
  readonly store: BlobReader & BlobWriter & BlobLister;
  /** By name; all in one container. */
  readonly files: Map<string, StoredFile>;
  /** `open name`, `put name`… since the list was last cleared. */
  readonly calls: string[];
  /** Called before each put. Its error is thrown at once, or after the bytes are stored when `afterwards` is set. */
  onPut: (name: string, options: PutOptions) => undefined | { readonly afterwards: AppError };
}

interface StoredFile {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly lastModified: number;
}

/** Blobs in memory, for tests of the log that count requests, damage files and lose responses. */
export function createByteBlobs(): ByteBlobs {
  const files = new Map<string, StoredFile>();
  const calls: string[] = [];
  let writes = 0;
  const describe = (ref: BlobRef, { bytes, etag, lastModified }: StoredFile): BlobProperties => ({
    ref,
    etag,
    sizeBytes: bytes.length,
    contentType: '',
    metadata: {},
    lastModified,
  });
  const put = async (ref: BlobRef, body: BlobBody, options: PutOptions = {}) => {
    calls.push(`put ${ref.name}`);
    const fault = blobs.onPut(ref.name, options);
    const bytes =
      typeof body === 'string' || body instanceof Uint8Array
        ? Buffer.from(body as string)
        : Buffer.concat(await Array.fromAsync(body));
    if (options.ifAbsent && files.has(ref.name)) throw new AppError('ALREADY_EXISTS', 'It is there.');
    if (options.ifMatch !== undefined && files.get(ref.name)?.etag !== options.ifMatch)
      throw new AppError('PRECONDITION_FAILED', 'It has changed.');
    const file = { bytes, etag: `"${(writes += 1)}"`, lastModified: writes };
    files.set(ref.name, file);
    if (fault) throw fault.afterwards;
    return describe(ref, file);
  };
  const store: ByteBlobs['store'] = {
    put,
    head: async (ref) => {
      calls.push(`head ${ref.name}`);
      const file = files.get(ref.name);
      return file && describe(ref, file);
    },
    open: async (ref, { range } = {}) => {
      calls.push(`open ${ref.name}`);
      const file = files.get(ref.name);
      if (file === undefined) throw blobErrors.blobMissing({ subject: 'It' });
      const end = range?.count === undefined ? undefined : range.offset + range.count;
      const bytes = file.bytes.subarray(range?.offset ?? 0, end);
      return { properties: describe(ref, file), body: slice(bytes) };
    },
    list: async (container, { prefix = '', cursor = '' }) => {
      calls.push(`list ${prefix}`);
      const names = [...files.keys()].filter((name) => name.startsWith(prefix) && name > cursor).sort();
      // Short pages make callers follow cursors.
      const found = names.slice(0, 7).map((name) => describe({ container, name }, files.get(name)!));
      const last = names[6];
      return names.length > 7 && last !== undefined ? { blobs: found, cursor: last } : { blobs: found };
    },
  };
  const blobs: ByteBlobs = { store, files, calls, onPut: () => undefined };
  return blobs;
}

/** In chunks that split lines and characters. */
async function* slice(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 61) yield bytes.subarray(at, at + 61);
}
