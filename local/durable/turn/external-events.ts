import { ReplayTask } from './replay-task.ts';

/**
 * Delivers external events and answers of entities to the tasks that wait for them. Compares names without case, as
 * the extension does (the SDK compares them with case: trap 5).
 */
export class ExternalEvents {
  readonly #waits = new Map<string, ReplayTask[]>();
  /** How many arrived before a task waited. */
  readonly #early = new Map<string, number>();

  /** The newest wait for a name gets the event, as in the extension and the SDK. */
  wait(name: string): ReplayTask {
    const key = name.toLowerCase();
    const early = this.#early.get(key) ?? 0;
    if (early > 0) {
      this.#early.set(key, early - 1);
      return ReplayTask.settled();
    }
    const task = new ReplayTask();
    const waits = this.#waits.get(key);
    if (waits === undefined) this.#waits.set(key, [task]);
    else waits.push(task);
    return task;
  }

  raise(name: string): void {
    const key = name.toLowerCase();
    const task = this.#waits.get(key)?.pop();
    if (task === undefined) this.#early.set(key, (this.#early.get(key) ?? 0) + 1);
    else task.settle(false);
  }
}
