import { execFile } from 'node:child_process';
import { join } from 'node:path';

export type ChdbRow = Readonly<Record<string, string | null>>;

/**
 * Queries ClickHouse in a separate process: its library is large and binds one folder per process. It reads Delta tables
 * with delta-kernel-rs, by `deltaLakeLocal('<path>')`; the setting `delta_lake_snapshot_version` selects a version.
 *
 * @param folder the only one it may read
 * @returns the rows of each query, or its error
 */
export function askChdb(
  queries: readonly string[],
  folder: string,
): Promise<readonly (readonly ChdbRow[] | string)[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(import.meta.dirname, 'chdb-child.ts')],
      { cwd: folder, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) return reject(new Error(stderr.slice(-2_000) || error.message));
        const answers = JSON.parse(stdout) as readonly { readonly rows?: string; readonly error?: string }[];
        resolve(
          answers.map(({ rows, error: reason }) => (rows === undefined ? (reason ?? '') : parse(rows))),
        );
      },
    );
    child.stdin?.end(JSON.stringify(queries));
  });
}

function parse(rows: string): readonly ChdbRow[] {
  const lines = rows.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as ChdbRow);
}
