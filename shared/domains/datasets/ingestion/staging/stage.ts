import { createHash } from 'node:crypto';
import { AppError } from '../../../../core/errors.ts';
import type { BlobStore, OpenedBlob } from '../../../../platform/storage/blobs.ts';
import { detectFormat, type FileFormat } from '../../../../formats/tabular/detect-format.ts';
import type { Source } from '../../entities.ts';
import type { DatasetSettings } from '../../catalog/settings.ts';
import type { BadRows } from './bad-rows.ts';
import { dropDuplicates } from './drop-duplicates.ts';
import { keepBadRows } from './keep-bad-rows.ts';
import {
  hasUniqueRows,
  type LandedFile,
  type ReadTable,
  type Report,
  type StageDeps,
} from './landed-file.ts';
import {
  type LandingPath,
  type LandingRequest,
  readLandingMetadata,
  targetOf,
} from '../landing/landing-path.ts';
import { readParquet } from './read-parquet.ts';
import { readText } from './read-text.ts';
import { manifestBlob, type Manifest, putManifest, type Staged } from './manifest.ts';
import { storeFile } from './store-file.ts';

/** Enough to tell what a file is. */
const firstBytes = 64 * 1024;

/** Reads a landed file whole and leaves a manifest of what a commit would add. Equal content, equal outcome. */
export async function stageFile(
  deps: StageDeps,
  source: Source,
  work: { readonly runId: string; readonly signal: AbortSignal; readonly report: Report },
): Promise<Staged> {
  const { blobs, store, tables, scratch, pace, maxFileBytes } = deps;
  const path = targetOf(source);
  const { dataset } = path;
  if (source.sizeBytes > maxFileBytes) throw tooLarge(source.sizeBytes, maxFileBytes);
  const head = await openHead(blobs, source, work.signal);
  const format = detectFormat(source.name, head.bytes);
  const [settings, snapshot] = await Promise.all([store.getSettings(dataset), tables.of(dataset).latest()]);
  const { mode, keys } = chooseMode(path, source.into ?? readLandingMetadata(head.metadata), settings);
  await using folder = await scratch.openFolder();
  const hash = createHash('sha256');
  const needsUnique = hasUniqueRows({ mode, settings });
  const landed: LandedFile = {
    dataset,
    source,
    snapshot,
    settings,
    mode,
    keys,
    folder: folder.path,
    signal: work.signal,
    report: work.report,
    open: async () => {
      const { body } = await blobs.open(source, { ifMatch: source.etag, signal: work.signal });
      return hashing(body, hash);
    },
    store: (file) =>
      storeFile(blobs, dataset, file, {
        isLive: (name) => snapshot?.files.has(name) === true,
        now: pace.clock.now(),
        keep: needsUnique,
      }),
  };
  const table = await read(deps, format, landed);
  const unique = needsUnique ? await dropDuplicates(deps, table, landed) : table;
  const rowsQuarantined = unique.bad.reduce((total, bad) => total + bad.rows, 0);
  checkThreshold(unique.rowsIn, rowsQuarantined, unique.bad, settings.maxBadFraction);
  const quarantine = await keepBadRows(deps, { dataset, source, runId: work.runId }, unique, format.format);
  const manifest: Manifest = {
    dataset,
    source,
    sourceSha256: hash.digest('hex'),
    mode,
    keys: [...keys],
    columns: [...unique.columns],
    schemaVersion: snapshot?.version ?? -1,
    ...(unique.chunkSize ? { chunkSize: unique.chunkSize } : {}),
    files: unique.files.map(({ staged }) => staged),
    rowsIn: unique.rowsIn,
    rowsQuarantined,
    notes: [
      ...unique.notes,
      ...unique.columns.flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])),
    ].slice(0, 100),
    ...(quarantine ? { quarantine } : {}),
  };
  const ref = manifestBlob(dataset, work.runId);
  await putManifest(blobs, ref, manifest);
  const { rowsIn } = unique;
  work.report(1, `${rowsIn} rows, ${rowsQuarantined} of them quarantined`);
  return { dataset, source, manifest: ref.name, rowsIn, rowsQuarantined };
}

function read(deps: StageDeps, format: FileFormat, landed: LandedFile): Promise<ReadTable> {
  return format.format === 'parquet' ? readParquet(deps, landed) : readText(deps, format, landed);
}

/** The first bytes, of the very content that was announced. */
async function openHead(
  blobs: BlobStore,
  source: Source,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly metadata: OpenedBlob['properties']['metadata'] }> {
  if (source.sizeBytes === 0)
    throw new AppError('UNPROCESSABLE', 'The file is empty (0 bytes).', { sizeBytes: 0 });
  const { properties, body } = await blobs.open(source, {
    ifMatch: source.etag,
    signal,
    range: { offset: 0, count: Math.min(firstBytes, source.sizeBytes) },
  });
  return { bytes: Buffer.concat(await Array.fromAsync(body)), metadata: properties.metadata };
}

async function* hashing(
  body: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
}

/** The blob's own word goes before the path's, and that before the dataset's settings. */
function chooseMode(
  path: LandingPath,
  request: LandingRequest,
  settings: DatasetSettings,
): { readonly mode: Manifest['mode']; readonly keys: readonly string[] } {
  const mode = request.mode ?? path.mode ?? settings.mode;
  const keys = request.keys ?? settings.keys;
  if (mode === 'merge' && keys.length === 0)
    throw new AppError(
      'UNPROCESSABLE',
      `A merge into "${path.dataset}" needs to know which columns tell rows apart: set "keys" in the dataset's settings, or in the blob's metadata.`,
      { dataset: path.dataset },
    );
  return { mode, keys };
}

function checkThreshold(
  rowsIn: number,
  rowsBad: number,
  bad: readonly BadRows[],
  maxBadFraction: number,
): void {
  if (rowsBad <= rowsIn * maxBadFraction) return;
  const examples = bad.flatMap((part) => part.examples).slice(0, 100);
  const [first] = examples;
  const where = first
    ? ` The first: row ${first.row}${first.column ? `, column "${first.column}"` : ''}: ${first.reason}`
    : '';
  const codes: Record<string, number> = {};
  for (const part of bad)
    for (const [code, rows] of Object.entries(part.codes)) codes[code] = (codes[code] ?? 0) + rows;
  const hint =
    (codes['RAGGED_ROW'] ?? 0) * 2 > rowsIn
      ? ' Most rows have another number of fields than the header: if there are lines before the header, such as titles or comments, remove them.'
      : '';
  throw new AppError(
    'UNPROCESSABLE',
    `${rowsBad} of ${rowsIn} rows cannot become rows of the dataset, over the limit of ${maxBadFraction * 100}% (the dataset's setting "maxBadFraction").${where}${hint}`,
    { rowsIn, rowsBad, maxBadFraction, codes, examples },
  );
}

function tooLarge(sizeBytes: number, maxBytes: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The file has ${sizeBytes} bytes, over the limit of ${maxBytes}; the setting SLIPWAY_LANDING_FILE_BYTES raises it.`,
    { sizeBytes, maxBytes },
  );
}
