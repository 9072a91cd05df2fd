/**
 * Runs tasks together at the end of the event loop's turn. Answers written in one go wake their clients once, not
 * once each; under load that is a quarter of the host's time.
 */
export class TurnEnd {
  #tasks: (() => void)[] = [];

  run(task: () => void): void {
    if (this.#tasks.push(task) === 1) setImmediate(() => this.#runAll());
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }

  #runAll(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  }
}
