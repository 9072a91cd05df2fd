import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Action } from '../../formats/delta/log/actions.ts';
import type { CheckpointFiles } from '../../formats/delta/log/checkpoint-files.ts';
import { encodeAction, parseAction } from '../../formats/delta/log/log-entry.ts';
import type { ScratchFolders } from '../../platform/storage/scratch.ts';
import { checkParquet } from './check-parquet.ts';
import { translateDuckDbError } from './errors.ts';
import { quoteName, quoteText } from './quote.ts';
import { readChunks } from './read-chunks.ts';
import { type DuckDbSession, openDuckDb } from './session.ts';

/** The columns of a classic checkpoint. All struct fields are nullable in Parquet files by DuckDB. */
const columns = {
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags MAP(VARCHAR, VARCHAR))',
  remove:
    'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, tags MAP(VARCHAR, VARCHAR))',
  metaData:
    'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)',
  protocol:
    'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
};

/** DuckDB allocates buffers for two of the longest lines, however short most lines are. */
const minLineBytes = 1024 * 1024;
const linesPerTurn = 1_000;

/**
 * Checkpoints through DuckDB, which converts the log's JSON lines to Parquet and back.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoint-schema
 */
export function createCheckpointFiles(
  scratch: ScratchFolders,
  { memoryLimitMb = 256 }: { readonly memoryLimitMb?: number } = {},
): CheckpointFiles {
  const open = (folder: string): Promise<DuckDbSession> =>
    openDuckDb({
      threads: 1,
      memoryLimitMb,
      tempDirectory: folder,
      allowedPaths: [],
      allowedDirectories: [folder],
    });
  return {
    async write(actions) {
      await using folder = await scratch.openFolder();
      const lines = join(folder.path, 'actions.jsonl');
      const parquet = join(folder.path, 'checkpoint.parquet');
      const measured = { longestBytes: minLineBytes };
      await pipeline(Readable.from(toBlocks(actions, measured)), createWriteStream(lines));
      using session = await open(folder.path);
      try {
        await session.connection.run(copyStatement(lines, parquet, measured.longestBytes));
      } catch (error) {
        throw translateDuckDbError(error);
      }
      return await readFile(parquet);
    },

    async *read(bytes) {
      await using folder = await scratch.openFolder();
      const parquet = join(folder.path, 'checkpoint.parquet');
      await writeFile(parquet, bytes);
      await checkParquet(parquet);
      using session = await open(folder.path);
      try {
        for await (const line of readLines(session, parquet)) {
          const action = parseAction(line);
          if (action) yield action;
        }
      } catch (error) {
        throw translateDuckDbError(error);
      }
    },
  };
}

function* toBlocks(actions: Iterable<Action>, measured: { longestBytes: number }): Generator<string> {
  let lines: string[] = [];
  for (const action of actions) {
    const line = `${encodeAction(action)}\n`;
    measured.longestBytes = Math.max(measured.longestBytes, Buffer.byteLength(line));
    lines.push(line);
    if (lines.length < linesPerTurn) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

function copyStatement(lines: string, parquet: string, longestBytes: number): string {
  const types = Object.entries(columns).map(([name, type]) => `${quoteText(name)}: ${quoteText(type)}`);
  const source = `read_json(${quoteText(lines)}, format = 'newline_delimited', maximum_object_size = ${longestBytes}, columns = {${types.join(', ')}})`;
  const names = Object.keys(columns).map(quoteName).join(', ');
  return `COPY (SELECT ${names} FROM ${source}) TO ${quoteText(parquet)} (FORMAT parquet, COMPRESSION zstd)`;
}

/** Each row as a line of the log. Unknown columns are ignored. */
async function* readLines({ connection }: DuckDbSession, parquet: string): AsyncGenerator<string> {
  const source = `read_parquet(${quoteText(parquet)})`;
  const described = await connection.run(`SELECT * FROM ${source} LIMIT 0`);
  const present = described.columnNames().filter((name) => Object.hasOwn(columns, name));
  if (present.length === 0) return;
  const pairs = present.map((name) => `${quoteText(name)}, ${quoteName(name)}`).join(', ');
  const result = await connection.stream(`SELECT json_object(${pairs})::VARCHAR FROM ${source}`);
  for await (const chunk of readChunks(result, undefined)) yield* chunk.getColumnValues(0) as string[];
}
