import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
  for (let i = 0; i < times; i += 1) yield piece;
  yield Buffer.from(end);
}

async function* bomb(): AsyncGenerator<Uint8Array> {
  // 64 MiB per member, without end.
  const member = gzipSync(Buffer.alloc(64 * mib, 'a,b\n'), { level: 9 });
  for (;;) yield member;
}

const sources: Record<string, () => AsyncIterable<Uint8Array>> = {
  line: () => repeat('a,b\n1,', Buffer.alloc(mib, 'x'), 100, '\n2,3\n'),
  quoted: () => repeat('a,b\n1,"', Buffer.alloc(mib, 'x'), 100, '"\n2,3\n'),
  quotedLines: () => repeat('a,b\n1,"', Buffer.from('some words\n'.repeat(50_000)), 50, '"\n2,3\n'),
  bomb,
};

const dir = mkdtempSync(join(tmpdir(), 'slipway-memory-'));
globalThis.gc?.();
const before = process.memoryUsage().rss;
let peak = 0;
const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
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
clearInterval(timer);
peak = Math.max(peak, process.memoryUsage().rss);
rmSync(dir, { recursive: true });
console.log(
  JSON.stringify({ records, bad: Object.fromEntries(bad), refusal, addedMib: (peak - before) / mib }),
);
