/** A promise without microtasks: it settles synchronously, so that a replay is one plain function call. */
export class ReplayTask {
  #state: 'open' | 'succeeded' | 'failed' = 'open';
  #listeners: (() => void)[] = [];

  static settled(): ReplayTask {
    const task = new ReplayTask();
    task.settle(false);
    return task;
  }

  get isSettled(): boolean {
    return this.#state !== 'open';
  }

  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  onSettled(listener: () => void): void {
    if (this.isSettled) listener();
    else this.#listeners.push(listener);
  }

  /** Settling again has no effect. */
  settle(failed: boolean): void {
    if (this.isSettled) return;
    this.#state = failed ? 'failed' : 'succeeded';
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

/** Settles once all children have (trap 1: the SDK's `Task.all` fails at the first failure). */
export function whenAll(children: readonly ReplayTask[]): ReplayTask {
  const all = new ReplayTask();
  let left = children.length;
  if (left === 0) all.settle(false);
  for (const child of children) {
    child.onSettled(() => {
      if (--left === 0) all.settle(children.some((task) => task.isFailed));
    });
  }
  return all;
}

/** Settles successfully with the first child that settles, as .NET's `Task.WhenAny` does. */
export function whenAny(children: readonly ReplayTask[]): ReplayTask {
  const any = new ReplayTask();
  for (const child of children) child.onSettled(() => any.settle(false));
  return any;
}
