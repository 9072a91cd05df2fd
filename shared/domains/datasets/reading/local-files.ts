import type { FileCache, FileLease } from './file-cache.ts';
import type { DataFile } from '../tables/data-file.ts';

/** Local paths of files, one after the other. Each is held until the next is requested, and the next is prefetched. */
export async function* eachLocalFile(
  cache: Pick<FileCache, 'open'>,
  files: readonly DataFile[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const open = (index: number): Promise<FileLease> | undefined => {
    const file = files[index];
    const opening = file && cache.open([file], signal ? { signal } : {});
    // Its failure is thrown when it is awaited.
    opening?.catch(() => {});
    return opening;
  };
  let next = open(0);
  try {
    for (let index = 0; next !== undefined; index += 1) {
      await using lease = await next;
      next = open(index + 1);
      yield lease.paths[0]!;
    }
  } finally {
    const [left] = await Promise.allSettled([next]);
    if (left.status === 'fulfilled') await left.value?.[Symbol.asyncDispose]();
  }
}
