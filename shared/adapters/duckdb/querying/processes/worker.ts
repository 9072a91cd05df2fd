import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { raceAbort } from '../../../../core/async/race-abort.ts';
import { bytesDescriptor } from '../../../../core/worker/host.ts';
import { type JobContext, serveJobs } from '../../../../core/worker/serve-jobs.ts';
import { encodeFiles } from '../encoding/encode.ts';
import { writeParquet } from '../encoding/write-parquet.ts';
import { outOfMemory } from '../errors.ts';
import { readRows } from '../sql/read-rows.ts';
import { runQuery } from '../sql/run-select.ts';
import type { QueryJobs } from './jobs.ts';

/** Runs query jobs in this process, one after the other. */
export function runQueryProcess(): void {
  serveJobs<QueryJobs>(
    {
      query: ({ request, limits }, { signal }) => limitMemory(() => runQuery(request, limits, signal)),
      rows: ({ request, limits }, { signal }) => limitMemory(() => readRows(request, limits, signal)),
      parquet: ({ table, path, limits }, { signal }) =>
        limitMemory(() => writeParquet(table, path, limits, signal)),
      encode: (input, context) => limitMemory(() => encode(input, context)),
    },
    // The owner can no longer remove it.
    { onOrphaned: () => rmSync(process.cwd(), { recursive: true, force: true }) },
  );
}

/** An allocation of a string or buffer fails with a RangeError. */
async function limitMemory<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof RangeError ? outOfMemory(error) : error;
  }
}

type EncodeJob = QueryJobs['encode'];

/** Writes at the reader's pace: waits while the pipe is full. */
async function encode(
  { format, columns, limits }: EncodeJob['input'],
  context: JobContext<EncodeJob['report'], EncodeJob['reply']>,
): Promise<undefined> {
  const pipe = new Socket({ fd: bytesDescriptor, readable: false });
  for await (const bytes of encodeFiles(format, columns, requestFiles(context), limits)) {
    if (!pipe.write(bytes)) await once(pipe, 'drain');
  }
  pipe.end();
  await once(pipe, 'finish');
}

async function* requestFiles({
  ask,
  signal,
}: JobContext<EncodeJob['report'], EncodeJob['reply']>): AsyncGenerator<string> {
  for (;;) {
    const path = await raceAbort(signal, () => ask('next'));
    if (path === undefined) return;
    yield path;
  }
}
