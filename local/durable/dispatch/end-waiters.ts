/** Requests that wait for an instance to end. */
export class EndWaiters {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Resolves when the instance ends, or after `timeoutMs`. */
  async wait(instanceId: string, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        const waiters = this.#waiters.get(instanceId);
        waiters?.delete(done);
        if (waiters?.size === 0) this.#waiters.delete(instanceId);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const waiters = this.#waiters.get(instanceId) ?? new Set();
      this.#waiters.set(instanceId, waiters.add(done));
    });
  }

  ended(instanceId: string): void {
    for (const done of this.#waiters.get(instanceId) ?? []) done();
  }

  close(): void {
    for (const waiters of this.#waiters.values()) for (const done of waiters) done();
  }
}
