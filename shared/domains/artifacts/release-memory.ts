import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of all streams between two checks of the memory. */
const lookEveryBytes = 2 * 2 ** 20;
/** Growth of buffers that triggers a minor and a major garbage collection. */
const collectYoungBytes = 12 * 2 ** 20;
const collectAllBytes = 24 * 2 ** 20;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;
let collect: Collect | undefined;
let passedBytes = 0;
let restingBytes = Infinity;

/**
 * Passes bytes through and releases their buffers soon.
 *
 * V8 frees a buffer's memory when it collects the buffer's few words of heap, and lets about 100 MB accumulate first:
 * more than a transfer may use (measured: docs/artifacts.md). A minor collection takes about a millisecond, a major one
 * some thirty; short streams trigger neither.
 */
export async function* releaseBuffers(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    passedBytes += chunk.length;
    if (passedBytes >= lookEveryBytes) {
      passedBytes = 0;
      releaseDead();
    }
    yield chunk;
  }
}

function releaseDead(): void {
  const grownBytes = () => {
    const { arrayBuffers } = process.memoryUsage();
    restingBytes = Math.min(restingBytes, arrayBuffers);
    return arrayBuffers - restingBytes;
  };
  if (grownBytes() < collectYoungBytes) return;
  collect ??= findCollector();
  collect({ type: 'minor' });
  if (grownBytes() < collectAllBytes) return;
  collect({ type: 'major' });
  // The rest is in use, and another collection would not free it.
  restingBytes = process.memoryUsage().arrayBuffers;
}

/** V8 exposes its collector only in contexts created after the flag was set; the app's global scope stays unchanged. */
function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return found;
}
