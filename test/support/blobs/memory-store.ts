import { cancelled, throwIfCancelled } from '../../../shared/core/async/cancelled.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { blobErrors } from '../../../shared/platform/storage/blob-errors.ts';
import {
  checkBlobRef,
  checkBlockIds,
  checkContainerName,
  checkFolderPrefix,
  checkLeaseDuration,
  checkPageLimit,
  checkPutOptions,
  checkRange,
} from '../../../shared/platform/storage/blob-rules.ts';
import type {
  BlobBody,
  BlobProperties,
  BlobRef,
  BlobStore,
  PutOptions,
} from '../../../shared/platform/storage/blobs.ts';

/** As HTTP delivers them. */
const chunkBytes = 64 * 1024;

interface StoredBlob {
  readonly bytes: Buffer;
  readonly properties: BlobProperties;
}

/**
 * Blobs in memory that pass the port's contract suite, for tests of code above storage: no process, no sockets.
 * It signs no URLs.
 */
export function createMemoryBlobStore(now: () => number = Date.now): BlobStore {
  const containers = new Map<string, Map<string, StoredBlob>>();
  /** By blob, then by block id. */
  const staged = new Map<string, Map<string, Uint8Array>>();
  /** The id of each blob's lease. */
  const leases = new Map<string, string>();
  let writes = 0;

  function blobsOf(ref: BlobRef): Map<string, StoredBlob> {
    checkContainerName(ref.container);
    const found = containers.get(ref.container);
    if (found) return found;
    throw blobErrors.containerMissing({ subject: nameOf(ref) });
  }

  function find(ref: BlobRef): StoredBlob | undefined {
    return blobsOf(ref).get(ref.name);
  }

  function get(ref: BlobRef): StoredBlob {
    const stored = find(ref);
    if (stored) return stored;
    throw blobErrors.blobMissing({ subject: nameOf(ref) });
  }

  function namesIn(container: string): string[] {
    return [...blobsOf({ container, name: '' }).keys()].sort(byCodeUnits);
  }

  function checkLease(ref: BlobRef, leaseId?: string): void {
    if (leases.get(keyOf(ref)) !== leaseId) throw changed(ref);
  }

  async function collect(ref: BlobRef, body: BlobBody): Promise<Buffer> {
    if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body as string);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) {
      // Closes the source as soon as the write must fail.
      blobsOf(ref);
      chunks.push(Uint8Array.from(chunk));
    }
    return Buffer.concat(chunks);
  }

  function write(ref: BlobRef, bytes: Buffer, options: PutOptions): BlobProperties {
    const current = find(ref);
    if (options.ifAbsent === true && current)
      throw new AppError('ALREADY_EXISTS', `${nameOf(ref)} already exists.`);
    if (options.ifMatch !== undefined && options.ifMatch !== current?.properties.etag) throw changed(ref);
    checkLease(ref, options.leaseId);
    return store(ref, bytes, options);
  }

  function store(ref: BlobRef, bytes: Buffer, { contentType, metadata = {} }: PutOptions): BlobProperties {
    writes += 1;
    const properties: BlobProperties = {
      ref: { container: ref.container, name: ref.name },
      etag: `"${writes}"`,
      sizeBytes: bytes.length,
      contentType: contentType ?? 'application/octet-stream',
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      // Blob storage keeps whole seconds.
      lastModified: Math.floor(now() / 1_000) * 1_000,
    };
    blobsOf(ref).set(ref.name, { bytes, properties });
    return properties;
  }

  return {
    async ensureContainers(names) {
      for (const name of names) {
        checkContainerName(name);
        if (!containers.has(name)) containers.set(name, new Map());
      }
    },
    async put(ref, body, options = {}) {
      checkBlobRef(ref);
      checkPutOptions(options);
      const bytes = await collect(ref, body);
      await turn();
      return write(ref, bytes, options);
    },
    async open(ref, { range, ifMatch, signal } = {}) {
      throwIfCancelled(signal, 'The read');
      checkBlobRef(ref);
      checkRange(range);
      await turn();
      const { bytes, properties } = get(ref);
      if (ifMatch !== undefined && ifMatch !== properties.etag) throw changed(ref);
      const { offset = 0, count } = range ?? {};
      if (range && offset >= bytes.length)
        throw new AppError('INVALID_ARGUMENT', `${nameOf(ref)} ends before the range.`);
      const wanted = bytes.subarray(offset, count === undefined ? undefined : offset + count);
      return { properties, body: cut(wanted, signal) };
    },
    async head(ref) {
      checkBlobRef(ref);
      await turn();
      return find(ref)?.properties;
    },
    async delete(ref, { ifMatch } = {}) {
      checkBlobRef(ref);
      await turn();
      const stored = find(ref);
      if (!stored) return false;
      if (ifMatch !== undefined && ifMatch !== stored.properties.etag) throw changed(ref);
      checkLease(ref);
      return blobsOf(ref).delete(ref.name);
    },
    async touch(ref) {
      checkBlobRef(ref);
      await turn();
      const stored = find(ref);
      if (stored) store(ref, stored.bytes, stored.properties);
      return stored !== undefined;
    },
    async list(container, { prefix = '', cursor = '', limit }) {
      checkPageLimit(limit);
      await turn();
      const names = namesIn(container).filter((name) => name.startsWith(prefix) && name > cursor);
      const blobs = names.slice(0, limit).map((name) => get({ container, name }).properties);
      return names.length > limit ? { blobs, cursor: names[limit - 1]! } : { blobs };
    },
    async listFolder(container, { prefix, cursor = '', limit }) {
      checkPageLimit(limit);
      checkFolderPrefix(prefix);
      await turn();
      const entries = new Set<string>();
      for (const name of namesIn(container)) {
        if (!name.startsWith(prefix)) continue;
        const slash = name.indexOf('/', prefix.length);
        entries.add(slash < 0 ? name : name.slice(0, slash + 1));
      }
      const left = [...entries].sort(byCodeUnits).filter((entry) => entry > cursor);
      const page = left.slice(0, limit);
      const isFolder = (entry: string) => entry.endsWith('/');
      const found = {
        blobs: page.filter((entry) => !isFolder(entry)).map((name) => get({ container, name }).properties),
        folders: page.filter(isFolder),
      };
      return left.length > limit ? { ...found, cursor: page.at(-1)! } : found;
    },
    presign: () => Promise.reject(unsigned()),
    presignBlocks: () => Promise.reject(unsigned()),
    async stageBlock(ref, blockId, body) {
      checkBlobRef(ref);
      checkBlockIds([blockId]);
      await turn();
      blobsOf(ref);
      const blocks = staged.get(keyOf(ref)) ?? new Map<string, Uint8Array>();
      staged.set(keyOf(ref), blocks.set(blockId, Uint8Array.from(body)));
    },
    async commitBlocks(ref, blockIds, options = {}) {
      checkBlobRef(ref);
      checkBlockIds(blockIds);
      checkPutOptions(options);
      await turn();
      const blocks = blockIds.map((id) => {
        const block = staged.get(keyOf(ref))?.get(id);
        if (!block) throw new AppError('INVALID_ARGUMENT', `${nameOf(ref)} has no block "${id}".`);
        return block;
      });
      return write(ref, Buffer.concat(blocks), options);
    },
    async acquireLease(ref, durationSeconds) {
      checkBlobRef(ref);
      checkLeaseDuration(durationSeconds);
      await turn();
      get(ref);
      checkLease(ref);
      writes += 1;
      const id = `lease-${writes}`;
      leases.set(keyOf(ref), id);
      return {
        id,
        renew: async () => checkLease(ref, id),
        release: async () => {
          checkLease(ref, id);
          leases.delete(keyOf(ref));
        },
      };
    },
    ping: () => Promise.resolve(),
  };
}

/** Concurrent callers interleave, as over a network. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function* cut(bytes: Buffer, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await turn();
    if (signal?.aborted) throw cancelled('The read');
    yield bytes.subarray(at, at + chunkBytes);
  }
}

function keyOf({ container, name }: BlobRef): string {
  return `${container}/${name}`;
}

function nameOf(ref: BlobRef): string {
  return `Blob "${keyOf(ref)}"`;
}

function changed(ref: BlobRef): AppError {
  return new AppError(
    'PRECONDITION_FAILED',
    `${nameOf(ref)} has changed, or another client holds its lease.`,
  );
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function unsigned(): AppError {
  return new AppError('NOT_IMPLEMENTED', 'Blobs in memory have no URLs.');
}
