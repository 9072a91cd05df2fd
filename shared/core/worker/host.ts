import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Transferable, Worker } from 'node:worker_threads';
import type { OwnerMessage, WorkerMessage } from './messages.ts';

/** How a worker ended. */
export interface WorkerExit {
  readonly exitCode: number | null;
  /** The signal that ended a process. */
  readonly signal: NodeJS.Signals | null;
  /** Whether it exceeded its memory limit. */
  readonly isOutOfMemory: boolean;
  /** Its uncaught error, or the reason that it could not start. */
  readonly cause?: unknown;
}

/** A thread or process. */
export interface WorkerHost {
  post(message: OwnerMessage, transfer?: readonly Transferable[]): void;
  /** Ends it immediately. */
  kill(): void;
  /** Sets whether it keeps this process alive. */
  setNeeded(isNeeded: boolean): void;
}

/** Starts a thread or process. Calls `onExit` exactly once. */
export type StartHost = (events: {
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onExit: (exit: WorkerExit) => void;
}) => WorkerHost;

export interface ThreadOptions {
  /** The V8 heap limit of the thread; default: that of the process. */
  readonly maxHeapMb?: number;
  readonly name?: string;
  /** The environment of the thread; default: that of the process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a worker as a thread, which shares the memory of this process. `module` must call `serveJobs`. */
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
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxHeapMb: number;
  /** Called with the stream of bytes that the process writes to `bytesDescriptor`. */
  readonly onBytes?: (bytes: Readable) => void;
}

/** The descriptor of the byte stream to the owner, after stdin, stdout, stderr and the message channel. */
export const bytesDescriptor = 4;

/** Runs a worker as a process, which can be killed at any time. `module` must call `serveJobs`. */
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
      // When memory is exhausted, V8 aborts, or the system or the process itself kills.
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
  // A disconnected process reports its exit.
  if (child.connected) child.send(message, () => undefined);
}
