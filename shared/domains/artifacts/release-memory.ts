import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often memory is looked at: in bytes that passed, through all streams together. */
const lookEveryBytes = 2 * 2 ** 20;
/** Buffers beyond those that were there before: from the first on the young ones are collected, from the second all. */
const collectYoungBytes = 12 * 2 ** 20;
const collectAllBytes = 24 * 2 ** 20;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;
let collect: Collect | undefined;
let passedBytes = 0;
let restingBytes = Infinity;

/**
 * The same bytes; the buffers of those that have passed are given back soon.
 *
 * V8 frees the memory behind a buffer when it collects the buffer's few words of heap, and lets about 100 MB gather
 * before that is worth its while: more than a transfer of any size may take (measured: docs/artifacts.md). A collection
 * of the young takes about a millisecond, of everything some thirty; short streams come to neither.
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
  // What is left is alive, others' large buffers among it: nothing that another collection would free.
  restingBytes = process.memoryUsage().arrayBuffers;
}

/** V8 shows its collector only to contexts made after it was asked to; the global of the app stays as it is. */
function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return found;
}
