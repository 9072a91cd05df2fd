import { createHash } from 'node:crypto';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';

/** A commit of a Delta table, as far as tests of ingestion need it. */
export interface LoggedCommit {
  readonly version: number;
  readonly files: ReadonlyMap<string, { readonly size: number; readonly rows: number }>;
  /** Of this commit alone. */
  readonly info: Readonly<Record<string, unknown>>;
  readonly transactions: readonly string[];
}

interface LoggedAction {
  readonly add?: { readonly path: string; readonly size: number; readonly stats?: string };
  readonly remove?: { readonly path: string };
  readonly txn?: { readonly appId: string };
  readonly commitInfo?: Readonly<Record<string, unknown>>;
}

/**
 * Reads a table's commits in order, without checkpoints: a second reader that shares no code with ours.
 *
 * @throws Error when there is a gap, or a file is added twice or removed without having been there
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md
 */
export async function replayDeltaLog(blobs: BlobStore, dataset: string): Promise<readonly LoggedCommit[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const options = {
      prefix: `${dataset}/_delta_log/`,
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const page = await blobs.list('datasets', options);
    names.push(...page.blobs.map(({ ref }) => ref.name).filter((name) => /\/\d{20}\.json$/.test(name)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const commits: LoggedCommit[] = [];
  const files = new Map<string, { size: number; rows: number }>();
  for (const [version, name] of names.sort().entries()) {
    if (!name.endsWith(`/${String(version).padStart(20, '0')}.json`))
      throw new Error(`${name} is not commit ${version}.`);
    const actions = (await readBlob(blobs, name))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LoggedAction);
    for (const { remove } of actions)
      if (remove && !files.delete(decodeURIComponent(remove.path)))
        throw new Error(`${remove.path} was not there.`);
    for (const { add } of actions)
      if (add) {
        const rows = (JSON.parse(add.stats ?? '{}') as { numRecords?: number }).numRecords;
        files.set(decodeURIComponent(add.path), { size: add.size, rows: rows ?? Number.NaN });
      }
    commits.push({
      version,
      files: new Map(files),
      info: actions.find(({ commitInfo }) => commitInfo)?.commitInfo ?? {},
      transactions: actions.flatMap(({ txn }) => (txn ? [txn.appId] : [])),
    });
  }
  return commits;
}

/** Files of a version that are missing or do not match their name and size. */
export async function findDangling(
  blobs: BlobStore,
  dataset: string,
  commit: LoggedCommit,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [path, { size }] of commit.files) {
    const bytes = await readBlob(blobs, `${dataset}/${path}`).catch((error: unknown) => String(error));
    if (typeof bytes === 'string') wrong.push(`${path}: ${bytes}`);
    else if (bytes.length !== size) wrong.push(`${path}: ${bytes.length} bytes instead of ${size}`);
    else if (createHash('sha256').update(bytes).digest('hex') !== path.slice(0, 64))
      wrong.push(`${path}: other bytes`);
  }
  return wrong;
}

export async function readBlob(blobs: BlobStore, name: string): Promise<Buffer> {
  const { body } = await blobs.open({ container: 'datasets', name });
  return Buffer.concat(await Array.fromAsync(body));
}
