import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { packError } from '../../../../core/thrown.ts';
import { encodeFiles } from '../encoding/encode.ts';
import { outOfMemory } from '../errors.ts';
import {
  bytesDescriptor,
  type Job,
  type JobOf,
  type JobResults,
  type OwnerMessage,
  type ProcessMessage,
} from './protocol.ts';
import { type JobLimits } from '../job-limits.ts';
import { readRows } from '../sql/read-rows.ts';
import { runQuery } from '../sql/run-select.ts';
import { writeParquet } from '../encoding/write-parquet.ts';

/** How often memory is checked: DuckDB allocates up to 100 MB in between. */
const watchIntervalMs = 25;
/** For Node.js, DuckDB's code, and memory outside of DuckDB's limit. */
const headroomMb = 320;

/**
 * Runs jobs in this process, one after the other. It kills itself when its owner is gone or it exceeds its memory, because
 * DuckDB may not react to a request to stop.
 */
export function runQueryProcess(): void {
  let abort = new AbortController();
  const files = new FileQueue();
  process.on('disconnect', () => {
    // The owner can no longer remove it.
    rmSync(process.cwd(), { recursive: true, force: true });
    dieAtOnce();
  });
  process.on('message', (message: OwnerMessage) => {
    switch (message.type) {
      case 'start':
        abort = new AbortController();
        void run(message.job, message.limits, abort.signal, files);
        break;
      case 'abort':
        abort.abort();
        break;
      case 'file':
        files.push(message.path);
        break;
      case 'end':
        files.push(undefined);
        break;
    }
  });
  send({ type: 'ready' });
}

async function run(job: Job, limits: JobLimits, signal: AbortSignal, files: FileQueue): Promise<void> {
  const watch = setInterval(() => watchMemory(limits), watchIntervalMs);
  try {
    send({ type: 'done', result: await runJob(job, limits, signal, files) });
  } catch (error) {
    // An allocation of a string or buffer fails with a RangeError.
    send({ type: 'failed', ...packError(error instanceof RangeError ? outOfMemory(error) : error) });
  } finally {
    clearInterval(watch);
  }
}

function runJob(
  job: Job,
  limits: JobLimits,
  signal: AbortSignal,
  files: FileQueue,
): Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'query':
      return runQuery(job, limits, signal);
    case 'rows':
      return readRows(job, limits, signal);
    case 'parquet':
      return writeParquet(job.table, job.path, limits, signal);
    case 'encode':
      return writeEncoded(job, limits, files).then(() => undefined);
  }
}

/** Writes at the reader's pace: waits while the pipe is full. */
async function writeEncoded(
  { format, columns }: JobOf<'encode'>,
  limits: JobLimits,
  files: FileQueue,
): Promise<void> {
  const pipe = new Socket({ fd: bytesDescriptor, readable: false });
  for await (const bytes of encodeFiles(format, columns, files, limits)) {
    if (!pipe.write(bytes)) await once(pipe, 'drain');
  }
  pipe.end();
  await once(pipe, 'finish');
}

/** The files of an encode job, requested from the owner one by one. */
class FileQueue implements AsyncIterable<string> {
  #wake: ((path: string | undefined) => void) | undefined;

  push(path: string | undefined): void {
    this.#wake?.(path);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      this.#wake = resolve;
      send({ type: 'next' });
      const path = await promise;
      if (path === undefined) return;
      yield path;
    }
  }
}

function watchMemory({ memoryLimitMb }: JobLimits): void {
  const rssBytes = process.memoryUsage.rss();
  if (rssBytes <= (memoryLimitMb + headroomMb) * 2 ** 20) return;
  process.send?.({ type: 'overMemory', rssBytes } satisfies ProcessMessage, undefined, {}, dieAtOnce);
}

function dieAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

function send(message: ProcessMessage): void {
  process.send?.(message);
}
