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

/** How often memory is looked at: DuckDB fills about 100 MB meanwhile. */
const watchIntervalMs = 25;
/** Node.js and DuckDB themselves, and what DuckDB's limit does not count. */
const headroomMb = 320;

/**
 * Runs jobs in a process of its own, one after the other. It lives as long as its owner, and dies at once when the
 * owner is gone or it has taken too much memory: what runs inside of DuckDB cannot be asked to stop.
 */
export function runQueryProcess(): void {
  let abort = new AbortController();
  const files = new FileQueue();
  process.on('disconnect', () => {
    // Nobody else is left to do it.
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
    // A string or a buffer that could not be made is a RangeError.
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

/** At the reader's pace: it waits while the pipe is full. */
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

/** Files as the owner gives them, each asked for. */
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
