import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';

/** The addresses in `endpoints.json` of a running platform's data folder. */
export interface PlatformEndpoints {
  readonly url: string;
  readonly blobConnectionString: string;
  readonly pid: number;
}

export interface PlatformProcessOptions {
  readonly dataDir: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly clean?: boolean;
  /** The folder of another Functions app, and a path that answers 200 when it is ready. */
  readonly appDir?: string;
  readonly readyPath?: string;
  /** A command to run the platform under; the platform's own command follows as its last arguments. */
  readonly wrap?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * The platform as a separate process, as `npm start` runs it, for demos, tests and benchmarks. Its output goes to
 * `<data folder>.log`.
 */
export class PlatformProcess {
  readonly url: string;
  readonly #endpoints: PlatformEndpoints;
  readonly #child: ChildProcess;

  private constructor(endpoints: PlatformEndpoints, child: ChildProcess) {
    this.url = endpoints.url;
    this.#endpoints = endpoints;
    this.#child = child;
  }

  /** Resolves when it answers requests. @throws Error with the end of its output when it does not start */
  static async start(options: PlatformProcessOptions): Promise<PlatformProcess> {
    const { dataDir, port, clean = false, appDir, readyPath = 'version', timeoutMs = 60_000 } = options;
    mkdirSync(join(dataDir, '..'), { recursive: true });
    const cli = join(import.meta.dirname, '..', 'dist', 'local', 'cli.js');
    const flags = ['--port', String(port), '--data-dir', dataDir, ...(clean ? ['--clean'] : [])];
    if (appDir !== undefined) flags.push('--app-dir', appDir);
    const [command, ...args] = [...(options.wrap ?? []), process.execPath, cli, ...flags];
    const child = spawn(command ?? process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    const readTail = keepOutput(child, `${dataDir}.log`);
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && isRunning(child)) {
      const endpoints = readEndpoints(dataDir);
      if (endpoints && endpoints.pid === child.pid) {
        const platform = new PlatformProcess(endpoints, child);
        if (await platform.#isAnswering(readyPath)) return platform;
      }
      await sleep(20);
    }
    child.kill('SIGKILL');
    throw new Error(`The platform did not start.\n${readTail()}`);
  }

  get blobConnectionString(): string {
    return this.#endpoints.blobConnectionString;
  }

  get pid(): number {
    return this.#endpoints.pid;
  }

  get isRunning(): boolean {
    return isRunning(this.#child);
  }

  async #isAnswering(path: string): Promise<boolean> {
    return fetch(`${this.url}/${path}`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Uploads a file to a blob container. */
  async upload(container: string, name: string, file: string): Promise<void> {
    const service = BlobServiceClient.fromConnectionString(this.blobConnectionString);
    await service.getContainerClient(container).getBlockBlobClient(name).uploadFile(file);
  }

  /** @throws Error with the problem's text when the answer is not 2xx */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Kills the process, as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL', 10_000);
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT', 30_000);
  }

  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const late = new AbortController();
    const forced = sleep(timeoutMs, undefined, { signal: late.signal }).then(
      () => this.#child.kill('SIGKILL'),
      () => false,
    );
    await ended;
    late.abort();
    await forced;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function readEndpoints(dataDir: string): PlatformEndpoints | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')) as PlatformEndpoints;
  } catch {
    // Missing or incomplete: the caller polls.
    return undefined;
  }
}

/** Appends a process's output to a file. @returns a function that returns its end */
function keepOutput(child: ChildProcess, file: string): () => string {
  let tail = '';
  const log = createWriteStream(file, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.pipe(log, { end: false });
    stream?.on('data', (chunk: Buffer) => {
      tail = `${tail}${chunk.toString('utf8')}`.slice(-4_000);
    });
  }
  child.once('exit', () => log.end());
  return () => tail;
}
