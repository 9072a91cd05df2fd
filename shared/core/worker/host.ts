import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Transferable, Worker } from 'node:worker_threads';
import type { OwnerMessage, WorkerMessage } from './messages.ts';

/** How a worker ended. */
export interface WorkerExit {
  readonly exitCode: number | null;
  /** Of a process that a signal ended. */
  readonly signal: NodeJS.Signals | null;
  /** It used more memory than it may. */
  readonly isOutOfMemory: boolean;
  /** What was thrown in it, or why it could not start. */
  readonly cause?: unknown;
}

/** A thread or a process, as its owner needs it. */
export interface WorkerHost {
  post(message: OwnerMessage, transfer?: readonly Transferable[]): void;
  /** Ends it at once. */
  kill(): void;
  /** Whether this process stays alive for it. */
  setNeeded(isNeeded: boolean): void;
}

/** Starts a thread or a process. Exactly one `onExit` ends it. */
export type StartHost = (events: {
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onExit: (exit: WorkerExit) => void;
}) => WorkerHost;

export interface ThreadOptions {
  /** Of V8 in the thread; without one, that of the process. */
  readonly maxHeapMb?: number;
  readonly name?: string;
  /** The environment that the thread sees; without one, that of the process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A thread: shares the memory and the fate of this process. `module` calls `serveJobs`. */
export function threadHost(module: URL, { maxHeapMb, name, env }: ThreadOptions = {}): StartHost {
  return ({ onMessage, onExit }) => {
    const worker = new Worker(module, {
      execArgv: [],
      ...(name === undefined ? {} : { name }),
      ...(env === undefined ? {} : { env }),
      ...(maxHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } }),
    });
    let thrown: { readonly cause: unknown } | undefined;
    worker.on('message', onMessage);
    worker.on('error', (cause) => {
      thrown = { cause };
    });
    worker.on('exit', (exitCode) => {
      const code = (thrown?.cause as { readonly code?: unknown } | undefined)?.code;
      onExit({ exitCode, signal: null, isOutOfMemory: code === 'ERR_WORKER_OUT_OF_MEMORY', ...thrown });
    });
    return {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      kill: () => void worker.terminate(),
      setNeeded: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    };
  };
}

export interface ProcessOptions {
  readonly folder: string;
  /** All that the process sees of an environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxHeapMb: number;
  /** Called with the stream of bytes that the process writes to `bytesDescriptor`. */
  readonly onBytes?: (bytes: Readable) => void;
}

/** Where a process writes bytes for its owner: behind stdin, stdout, stderr and the channel of messages. */
export const bytesDescriptor = 4;

/** A process of its own: it can be killed at any time, and takes nothing with it. `module` calls `serveJobs`. */
export function processHost(module: URL, { folder, env, maxHeapMb, onBytes }: ProcessOptions): StartHost {
  return ({ onMessage, onExit }) => {
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'];
    const child = fork(fileURLToPath(module), [], {
      cwd: folder,
      env,
      execArgv: [`--max-old-space-size=${maxHeapMb}`],
      serialization: 'advanced',
      stdio,
    });
    const bytes = child.stdio[bytesDescriptor] as Socket;
    onBytes?.(bytes);
    let isOver = false;
    const exit = (how: WorkerExit) => {
      if (!isOver) onExit(how);
      isOver = true;
    };
    child.on('message', (message) => onMessage(message as WorkerMessage));
    child.on('error', (cause) => exit({ exitCode: null, signal: null, isOutOfMemory: false, cause }));
    child.on('exit', (exitCode, signal) =>
      // V8 aborts, and the system or the process itself kills, when memory is exhausted.
      exit({ exitCode, signal, isOutOfMemory: signal === 'SIGKILL' || signal === 'SIGABRT' }),
    );
    return {
      post: (message) => send(child, message),
      kill: () => child.kill('SIGKILL'),
      setNeeded: (isNeeded) => {
        for (const handle of [child, child.channel, bytes]) {
          if (isNeeded) handle?.ref();
          else handle?.unref();
        }
      },
    };
  };
}

function send(child: ChildProcess, message: OwnerMessage): void {
  // One that has exited says so by its exit.
  if (child.connected) child.send(message, () => undefined);
}
