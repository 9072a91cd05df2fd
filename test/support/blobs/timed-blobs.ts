import type { Clock } from '../../../shared/core/clock.ts';
import type {
  BlobFolders,
  BlobLister,
  BlobProperties,
  BlobReader,
  BlobRemover,
  BlobWriter,
} from '../../../shared/platform/storage/blobs.ts';

export type TimedBlobs = BlobReader & BlobWriter & BlobRemover & BlobLister & BlobFolders;

/** Names of blobs with their time of writing: enough for code that lists and deletes. */
export function createTimedBlobs(clock: Clock): TimedBlobs & { readonly written: Map<string, number> } {
  const written = new Map<string, number>();
  const describe = (container: string, name: string): BlobProperties => ({
    ref: { container, name },
    etag: '"1"',
    sizeBytes: 10,
    contentType: '',
    metadata: {},
    lastModified: written.get(name) ?? 0,
  });
  const under = (prefix: string) => [...written.keys()].filter((name) => name.startsWith(prefix)).sort();
  const blobs: TimedBlobs = {
    put: async ({ container, name }) => {
      written.set(name, clock.now());
      return describe(container, name);
    },
    open: () => Promise.reject(new Error('no bytes are kept')),
    head: async ({ container, name }) => (written.has(name) ? describe(container, name) : undefined),
    delete: async ({ name }) => written.delete(name),
    list: async (container, { prefix = '', limit }) => ({
      blobs: under(prefix)
        .slice(0, limit)
        .map((name) => describe(container, name)),
    }),
    listFolder: async (container, { prefix, limit, cursor = '' }) => {
      const entries = [...new Set(under(prefix).map((name) => prefix + toEntry(name.slice(prefix.length))))]
        .sort()
        .filter((entry) => entry > cursor);
      const page = entries.slice(0, limit);
      const last = page.at(-1);
      return {
        blobs: page.filter((entry) => !entry.endsWith('/')).map((name) => describe(container, name)),
        folders: page.filter((entry) => entry.endsWith('/')),
        ...(entries.length > limit && last !== undefined ? { cursor: last } : {}),
      };
    },
  };
  return { ...blobs, written };
}

function toEntry(rest: string): string {
  const slash = rest.indexOf('/');
  return slash === -1 ? rest : rest.slice(0, slash + 1);
}
