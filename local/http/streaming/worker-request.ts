import { IncomingMessage } from 'node:http';
import { hasBody, toWorkerHeaders, type WorkerCall } from './worker-server.ts';

/**
 * A client's request as a message of its own. It reads nothing of the client's body before the worker reads, and
 * leaves the client's connection open when the worker destroys it.
 */
export class WorkerRequest extends IncomingMessage {
  /** The body passed the limit; nothing more of it is read. */
  isTooLarge = false;
  readonly #client: IncomingMessage;
  readonly #limitBytes: number;
  readonly #onCut: () => void;
  #sizeBytes = 0;
  #isDetached = false;
  /** Ends the reading of the client's body, once that has begun. */
  #stop: (() => void) | undefined;

  /** @param onCut called when the worker destroys the request, which on a real connection would close that */
  constructor(client: IncomingMessage, call: WorkerCall, onCut: () => void) {
    super(client.socket);
    this.#client = client;
    this.#limitBytes = call.bodyLimitBytes;
    this.#onCut = onCut;
    this.method = client.method!;
    this.url = call.target;
    this.httpVersion = '1.1';
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.headers = toWorkerHeaders(client, call);
    this.complete = !hasBody(client);
  }

  /** Discards the rest of the client's body, so that its connection can carry the next request. */
  detach(): void {
    this.#stopReading();
    if (this.complete) return;
    this.#client.resume();
    this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  }

  override _read(): void {
    if (this.complete) return void this.push(null);
    if (this.#isDetached) return;
    if (this.#stop) this.#client.resume();
    else this.#start();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopReading();
    if (!this.complete) {
      this.aborted = true;
      this.emit('aborted');
      // Leaving a loop over a request destroys it, too, but Node detaches the socket first.
      if (this.socket) this.#onCut();
    }
    // As on Node's own requests, an error without a listener is not an uncaught exception.
    process.nextTick(done, this.listenerCount('error') > 0 ? error : null);
  }

  #start(): void {
    const client = this.#client;
    const onData = (chunk: Buffer): void => {
      this.#sizeBytes += chunk.length;
      this.isTooLarge = this.#sizeBytes > this.#limitBytes;
      if (this.isTooLarge) this.detach();
      else if (!this.push(chunk)) client.pause();
    };
    const onEnd = (): void => {
      this.complete = true;
      this.push(null);
    };
    client.on('data', onData).on('end', onEnd);
    this.#stop = () => client.off('data', onData).off('end', onEnd).pause();
  }

  #stopReading(): void {
    if (!this.#isDetached) this.#stop?.();
    this.#isDetached = true;
  }
}
