import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { smallBodyBytes } from '../response.ts';
import type { TurnEnd } from '../turn-end.ts';
import { isForClient } from './worker-server.ts';

type Done = (error?: Error | null) => void;

/**
 * The answer to a client as a response of its own: as much of `ServerResponse` as workers use. Destroyed before its
 * end, it cuts an answer that has begun, and leaves one that has not to the host.
 *
 * An answer begins at the end of the event loop's turn, so that a small one is sent in one piece. One that is not as
 * long as its content-length is cut: the client could not tell where the next answer on the connection begins.
 */
export class WorkerResponse extends Writable {
  statusCode = 200;
  /** Destroyed before its end. */
  isCut = false;
  readonly #client: ServerResponse;
  readonly #turnEnd: TurnEnd;
  readonly #headers: OutgoingHttpHeaders = {};
  #state: 'new' | 'waiting' | 'begun' = 'new';
  /** The first bytes of the body, while the answer waits to begin. */
  #first: Buffer | undefined;
  #isWhole = false;
  #announcedBytes: number | undefined;
  #sentBytes = 0;

  constructor(client: ServerResponse, turnEnd: TurnEnd) {
    super();
    this.#client = client;
    this.#turnEnd = turnEnd;
  }

  setHeader(name: string, value: number | string | string[]): this {
    const lower = name.toLowerCase();
    if (isForClient(lower)) this.#headers[lower] = value;
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#sentBytes += chunk.length;
    if (this.#state === 'new' && chunk.length <= smallBodyBytes) {
      this.#first = chunk;
      this.#beginSoon();
      return done();
    }
    this.#begin();
    if (this.#isTooLong()) return done(this.#lengthError());
    if (this.#client.write(chunk)) done();
    else this.#client.once('drain', done);
  }

  override _final(done: Done): void {
    this.#isWhole = true;
    this.#client.once('finish', done);
    if (this.#state !== 'begun') return this.#beginSoon();
    if (this.#isTooShort()) this.destroy(this.#lengthError());
    else this.#client.end();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#isWhole || error !== null) {
      this.isCut = true;
      if (this.#state === 'begun') this.#client.destroy();
    }
    // As on Node's own responses, no error event follows.
    done();
  }

  #beginSoon(): void {
    if (this.#state === 'waiting') return;
    this.#state = 'waiting';
    this.#turnEnd.run(() => this.#begin());
  }

  #begin(): void {
    if (this.#state === 'begun' || this.isCut) return;
    const client = this.#client;
    const headers = this.#headers;
    const length = headers['content-length'];
    const hasBody = client.req.method !== 'HEAD' && this.statusCode !== 204 && this.statusCode !== 304;
    if (hasBody && length !== undefined) this.#announcedBytes = Number(length);
    if (this.#isTooLong() || (this.#isWhole && this.#isTooShort()))
      return void this.destroy(this.#lengthError());
    const first = this.#first;
    this.#first = undefined;
    if (hasBody && this.#isWhole && !first) headers['content-length'] = 0;
    try {
      client.writeHead(this.statusCode, headers);
    } catch (error) {
      return void this.destroy(error as Error);
    }
    this.#state = 'begun';
    // As text, Node sends head and body in one write; Latin-1 keeps every byte as it is.
    if (first && this.#isWhole) client.end(first.toString('latin1'), 'latin1');
    else if (first) client.write(first.toString('latin1'), 'latin1');
    else if (this.#isWhole) client.end();
  }

  #isTooLong(): boolean {
    return this.#announcedBytes !== undefined && this.#sentBytes > this.#announcedBytes;
  }

  #isTooShort(): boolean {
    return this.#announcedBytes !== undefined && this.#sentBytes < this.#announcedBytes;
  }

  #lengthError(): Error {
    return new Error(`The answer announced ${this.#announcedBytes} bytes and had ${this.#sentBytes}.`);
  }
}
