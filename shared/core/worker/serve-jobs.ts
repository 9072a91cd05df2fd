import { parentPort, type Transferable } from 'node:worker_threads';
import { packError } from '../thrown.ts';
import type { JobTable, OwnerMessage, ReplyOf, ReportOf, WorkerMessage } from './messages.ts';

/** The interval of memory checks while a job runs. */
const memoryCheckMs = 25;

export interface JobContext<Report, Reply> {
  /** Fires when the owner stops the job; the owner kills the worker if the job does not end soon. */
  readonly signal: AbortSignal;
  readonly report: (report: Report) => void;
  /** Sends a report and waits for the owner's reply. */
  readonly ask: (report: Report) => Promise<Reply>;
}

export type JobHandlers<Jobs extends JobTable<Jobs>> = {
  readonly [Name in keyof Jobs]: (
    input: Jobs[Name]['input'],
    context: JobContext<ReportOf<Jobs[Name]>, ReplyOf<Jobs[Name]>>,
  ) => Promise<Jobs[Name]['output'] | Transferred<Jobs[Name]['output']>>;
};

/** An output whose buffers are transferred to the owner instead of copied. Processes copy them anyway. */
export class Transferred<Output> {
  readonly output: Output;
  readonly transfer: readonly Transferable[];

  constructor(output: Output, transfer: readonly Transferable[]) {
    this.output = output;
    this.transfer = transfer;
  }
}

export interface ServeOptions {
  /** Called in a process whose owner died, before the process exits. */
  readonly onOrphaned?: () => void;
}

interface RunningJob {
  readonly abort: AbortController;
  readonly waiting: ((reply: never) => void)[];
}

/** Runs the jobs that the owner sends, in this thread or process. */
export function serveJobs<Jobs extends JobTable<Jobs>>(
  handlers: JobHandlers<Jobs>,
  { onOrphaned }: ServeOptions = {},
): void {
  const running = new Map<number, RunningJob>();
  const channel = openChannel((message) => {
    switch (message.kind) {
      case 'run':
        void run(message);
        break;
      case 'abort':
        running.get(message.id)?.abort.abort();
        break;
      case 'reply':
        running.get(message.id)?.waiting.shift()?.(message.reply as never);
        break;
    }
  }, onOrphaned);

  async function run({ id, job, input, maxRssMb }: OwnerMessage & { readonly kind: 'run' }): Promise<void> {
    const current: RunningJob = { abort: new AbortController(), waiting: [] };
    running.set(id, current);
    const watch =
      maxRssMb === undefined ? undefined : setInterval(() => channel.checkMemory(maxRssMb), memoryCheckMs);
    const report = (content: unknown) => channel.send({ kind: 'report', id, report: content });
    try {
      if (!Object.hasOwn(handlers, job)) throw new TypeError(`The worker has no job "${job}".`);
      const result = await handlers[job as keyof Jobs](input, {
        signal: current.abort.signal,
        report,
        ask: (content) => {
          const { promise, resolve } = Promise.withResolvers<never>();
          current.waiting.push(resolve);
          report(content);
          return promise;
        },
      });
      if (result instanceof Transferred)
        channel.send({ kind: 'done', id, output: result.output }, result.transfer);
      else channel.send({ kind: 'done', id, output: result });
    } catch (error) {
      channel.send({ kind: 'failed', id, error: packError(error) });
    } finally {
      clearInterval(watch);
      running.delete(id);
    }
  }

  channel.send({ kind: 'ready' });
}

interface Channel {
  send(message: WorkerMessage, transfer?: readonly Transferable[]): void;
  checkMemory(maxRssMb: number): void;
}

function openChannel(
  onMessage: (message: OwnerMessage) => void,
  onOrphaned: (() => void) | undefined,
): Channel {
  if (parentPort) {
    const port = parentPort;
    port.on('message', onMessage);
    return {
      send: (message, transfer = []) => port.postMessage(message, [...transfer]),
      // A thread shares the memory of its process; its owner limits its heap instead.
      checkMemory: () => undefined,
    };
  }
  if (process.send === undefined)
    throw new Error('This module must run in a thread or process of an OwnedWorker.');
  process.on('message', onMessage);
  process.on('disconnect', () => {
    try {
      onOrphaned?.();
    } finally {
      dieAtOnce();
    }
  });
  return {
    send: (message) => void process.send?.(message),
    checkMemory: (maxRssMb) => {
      if (process.memoryUsage.rss() > maxRssMb * 2 ** 20) dieAtOnce();
    },
  };
}

/** Running native code cannot be stopped otherwise. */
function dieAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}
