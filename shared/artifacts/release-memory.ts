import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Between two collections, of all streams together; what is held meanwhile is a small multiple of it. */
const collectEveryBytes = 4 * 2 ** 20;

let collectYoung: (() => void) | undefined;
let passedBytes = 0;

/**
 * The same bytes; the buffers of those that have passed are given back soon.
 *
 * V8 frees the memory behind a buffer when it collects the buffer's few words of heap, and nothing makes it hurry: a
 * fast download leaves over 100 MB of dead buffers behind it (measured: docs/artifacts.md). A collection of the young
 * generation finds them all and takes about a millisecond. Short streams never come to one.
 */
export async function* releaseBuffers(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    passedBytes += chunk.length;
    if (passedBytes >= collectEveryBytes) {
      passedBytes = 0;
      collectYoung ??= findCollector();
      collectYoung();
    }
    yield chunk;
  }
}

/** V8 shows its collector only to contexts made after it was asked to; the global of the app stays as it is. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  return () => collect({ type: 'minor' });
}
