import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { scanText } from '../../../shared/formats/tabular/scan-text.ts';

/** Scans a large file, and prints the peak of memory above the baseline of the process. */
const [what = ''] = process.argv.slice(2);
const mib = 1024 * 1024;

async function* repeat(
  start: string,
  piece: Uint8Array,
  times: number,
  end: string,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(start);
  for (let i = 0; i < times; i += 1) yield Buffer.from(piece);
  yield Buffer.from(end);
}

// 64 MiB, compressed piece by piece: the peak of this process must not contain it.
const piece = Buffer.alloc(mib, 'a,b\n');
const pieces = Array.from({ length: 64 }, () => piece);
const member = await buffer(Readable.from(pieces).pipe(createGzip({ level: 9 })));

/** Yields members without end. */
async function* bomb(): AsyncGenerator<Uint8Array> {
  for (;;) yield member;
}

const sources: Record<string, () => AsyncIterable<Uint8Array>> = {
  line: () => repeat('a,b\n1,', Buffer.alloc(mib, 'x'), 100, '\n2,3\n'),
  quoted: () => repeat('a,b\n1,"', Buffer.alloc(mib, 'x'), 100, '"\n2,3\n'),
  quotedLines: () => repeat('a,b\n1,"', Buffer.from('some words\n'.repeat(50_000)), 50, '"\n2,3\n'),
  bomb,
};

/** Collects garbage in each turn of the event loop, so that the peak does not depend on the collector's own schedule. */
function collectGarbage(): void {
  globalThis.gc?.();
  turn = setImmediate(collectGarbage);
}

const dir = mkdtempSync(join(tmpdir(), 'slipway-memory-'));
let turn: NodeJS.Immediate | undefined;
collectGarbage();
const before = process.memoryUsage().rss;
const bad = new Map<string, number>();
let refusal: unknown;
let records = 0;
try {
  await using scan = await scanText(sources[what]!(), {
    format: { format: 'csv', compression: what === 'bomb' ? 'gzip' : 'none' },
    dir,
    signal: new AbortController().signal,
    onBad: ({ code }) => void bad.set(code, (bad.get(code) ?? 0) + 1),
  });
  for await (const chunk of scan.chunks()) await chunk[Symbol.asyncDispose]();
  ({ records } = scan.totals());
} catch (error) {
  refusal = { code: (error as { code?: string }).code, message: (error as Error).message };
}
clearImmediate(turn);
rmSync(dir, { recursive: true });
const addedMib = process.resourceUsage().maxRSS / 1024 - before / mib;
console.log(JSON.stringify({ records, bad: Object.fromEntries(bad), refusal, addedMib }));
