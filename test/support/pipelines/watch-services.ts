/** A call of a domain or of the platform that a step made. */
export interface ServiceCall {
  /** `registry.aliases.move` */
  readonly path: string;
  /** The writes that began while it ran. */
  readonly writes: { readonly visible: number; readonly blobs: number };
}

export type WriteKind = 'document' | 'message' | 'blob';

/** The calls of one run of a step, in order. */
export class CallWatch {
  readonly calls: { path: string; writes: { visible: number; blobs: number } }[] = [];
  readonly #onCall: (index: number) => void;

  /** @param onCall called as a call begins, with its index */
  constructor(onCall: (index: number) => void = () => undefined) {
    this.#onCall = onCall;
  }

  /** Counts a write for the newest call: steps make one at a time. Documents and messages are visible to others. */
  noteWrite(kind: WriteKind): void {
    const call = this.calls.at(-1);
    if (!call) throw new Error('A write without a call of a service.');
    call.writes[kind === 'blob' ? 'blobs' : 'visible'] += 1;
  }

  /** The services, with every call noted, at any depth. */
  wrap<T extends object>(services: T, path = ''): T {
    return new Proxy(services, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        const place = path === '' ? String(key) : `${path}.${String(key)}`;
        if (typeof member === 'function')
          return (...args: unknown[]): unknown => {
            this.calls.push({ path: place, writes: { visible: 0, blobs: 0 } });
            this.#onCall(this.calls.length - 1);
            return (member as (...all: unknown[]) => unknown).apply(target, args);
          };
        return member !== null && typeof member === 'object' ? this.wrap(member, place) : member;
      },
    });
  }
}
