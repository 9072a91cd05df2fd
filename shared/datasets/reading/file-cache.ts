import type { DataFile } from './ports.ts';

/** The immutable data files of datasets, on this machine. */
export interface FileCache {
  /**
   * Brings files here that are not yet, and holds all of them until the lease is disposed. Files are downloaded once,
   * also when many ask at the same time; what nobody holds is dropped, longest unused first, when room is needed.
   *
   * Hold a lease no longer than it is read from, and take what is read together with one call: leases taken one
   * after the other can exceed the room.
   *
   * @throws NOT_FOUND (a file is gone), UNPROCESSABLE (stored bytes are not those that became the version),
   *   PAYLOAD_TOO_LARGE (these files do not fit at all), RATE_LIMITED (what others hold leaves no room),
   *   INSUFFICIENT_STORAGE (full disk), CANCELLED
   * @example
   * await using lease = await cache.open(version.files, { signal });
   * lease.paths[0] // '/tmp/slipway-data-…/0a1b….parquet'
   */
  open(files: readonly DataFile[], options?: { readonly signal?: AbortSignal }): Promise<FileLease>;
}

export interface FileLease extends AsyncDisposable {
  /** Of local Parquet files, in the order of the files asked for; not to be written to. */
  readonly paths: readonly string[];
}
