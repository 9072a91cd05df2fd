import { type FileHandle, open } from 'node:fs/promises';

/** Writes between two syncs: 1,300 pages when each write creates a run, a twelfth of those that start a checkpoint. */
const writesPerSync = 128;

/**
 * Syncs SQLite's write-ahead log in the background. A checkpoint syncs the log before it copies pages, and blocks the
 * thread meanwhile: that is most of its time. What was synced before costs no time again.
 *
 * It only saves time: failures are ignored, because the checkpoint syncs in any case and reports them. A second
 * descriptor is safe, because SQLite holds no lock on the log that closing it would release.
 *
 * @see https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
 */
export class LogFlusher {
  readonly #file: string;
  #log: FileHandle | undefined;
  #writes = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** @param file the log */
  constructor(file: string) {
    this.#file = file;
  }

  /** Counts a write, and starts a sync when one is due and none is running. */
  countWrite(): void {
    this.#writes += 1;
    if (this.#writes < writesPerSync || this.#running !== undefined || this.#isClosed) return;
    this.#writes = 0;
    this.#running = this.#sync();
  }

  /** Waits for a running sync and closes the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#log?.close();
    this.#log = undefined;
  }

  /** Never throws. */
  async #sync(): Promise<void> {
    try {
      // Windows syncs no file that is open for reading only.
      this.#log ??= await open(this.#file, 'r+');
      await this.#log.datasync();
    } catch {
      // See above.
    } finally {
      this.#running = undefined;
    }
  }
}
