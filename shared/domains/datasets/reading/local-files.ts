import type { FileCache, FileLease } from './file-cache.ts';
import type { DataFile } from '../tables/data-file.ts';

/** Files one after the other, each held until the next is asked for; the next is on its way meanwhile. */
export async function* eachLocalFile(
  cache: FileCache,
  files: readonly DataFile[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const open = (index: number): Promise<FileLease> | undefined => {
    const file = files[index];
    const opening = file && cache.open([file], signal ? { signal } : {});
    // Told when it is waited for.
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
