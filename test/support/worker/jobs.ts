/** The jobs of the worker that tests own. */
export interface TestJobs {
  readonly echo: { readonly input: unknown; readonly output: unknown };
  readonly fail: { readonly input: undefined; readonly output: never };
  /** Adds up numbers from its owner until there are no more. */
  readonly sum: {
    readonly input: undefined;
    readonly output: number;
    readonly report: 'next';
    readonly reply: number | undefined;
  };
  /** Ends at the stop signal. */
  readonly wait: { readonly input: undefined; readonly output: never; readonly report: 'waiting' };
  /** Blocks its event loop, and so receives no messages. */
  readonly spin: { readonly input: undefined; readonly output: never; readonly report: 'spinning' };
  /** Keeps its process busy, and receives messages. */
  readonly tick: { readonly input: undefined; readonly output: never; readonly report: 'ticking' };
  readonly exit: { readonly input: number; readonly output: never };
  readonly throwLater: { readonly input: string; readonly output: never };
  readonly fillHeap: { readonly input: undefined; readonly output: never };
  readonly fillBuffers: { readonly input: undefined; readonly output: never };
  /** Returns a transferred buffer, and the size of the one it received. */
  readonly move: { readonly input: Uint8Array; readonly output: Uint8Array };
  readonly uncloneable: { readonly input: undefined; readonly output: unknown };
  readonly pid: { readonly input: undefined; readonly output: number };
  /** The names of the environment variables that it sees. */
  readonly variables: { readonly input: undefined; readonly output: readonly string[] };
}
