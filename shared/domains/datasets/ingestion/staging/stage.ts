import { createHash } from 'node:crypto';
import type { Clock } from '../../../../core/clock.ts';
import { AppError } from '../../../../core/errors.ts';
import { detectFormat } from '../../../../formats/tabular/detect-format.ts';
import type { BlobReader, BlobRenewer, BlobWriter, OpenedBlob } from '../../../../platform/storage/blobs.ts';
import type { ScratchFolders } from '../../../../platform/storage/scratch.ts';
import type { DatasetSettings, Settings } from '../../catalog/settings.ts';
import type { Source } from '../../entities.ts';
import type { Tables } from '../../tables/tables.ts';
import {
  type LandingPath,
  type LandingRequest,
  readLandingMetadata,
  targetOf,
} from '../landing/landing-path.ts';
import { checkThreshold } from '../bad-rows/check-threshold.ts';
import { dropDuplicates, type DropDuplicatesDeps } from './drop-duplicates.ts';
import { keepBadRows } from '../bad-rows/keep-bad-rows.ts';
import type { LandedFile, Report } from './landed-file.ts';
import { manifestBlob, type Manifest, putManifest, type Staged } from './manifest.ts';
import { readParquet } from './read-parquet.ts';
import { readText } from './read-text.ts';
import { hasUniqueRows } from './row-rules.ts';
import { storeFile } from './store-file.ts';

export interface StageDeps extends DropDuplicatesDeps {
  readonly blobs: BlobReader & BlobWriter & BlobRenewer;
  readonly settings: Pick<Settings, 'get'>;
  readonly tables: Pick<Tables, 'of'>;
  readonly scratch: ScratchFolders;
  readonly clock: Clock;
}

export interface StageOptions {
  readonly maxFileBytes: number;
}

/** Enough to detect the format. */
const firstBytes = 64 * 1024;

/**
 * Reads a landed file to its end, stores its good rows as data files and its bad rows in quarantine, and writes a
 * manifest of what a commit would add. The same content has the same outcome.
 */
export async function stageFile(
  deps: StageDeps,
  { maxFileBytes }: StageOptions,
  source: Source,
  work: {
    readonly runId: string;
    readonly step: string;
    readonly signal: AbortSignal;
    readonly report: Report;
  },
): Promise<Staged> {
  const { blobs, settings: allSettings, tables, scratch, clock } = deps;
  const path = targetOf(source);
  const { dataset } = path;
  if (source.sizeBytes > maxFileBytes) throw tooLarge(source.sizeBytes, maxFileBytes);
  const head = await openHead(blobs, source, work.signal);
  const format = detectFormat(source.name, head.bytes);
  const [settings, snapshot] = await Promise.all([allSettings.get(dataset), tables.of(dataset).latest()]);
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
        now: clock.now(),
        keep: needsUnique,
      }),
  };
  const typed =
    format.format === 'parquet' ? await readParquet(deps, landed) : await readText(deps, format, landed);
  const unique = needsUnique ? await dropDuplicates(deps, typed, landed) : typed;
  const { rowsIn } = unique;
  const rowsQuarantined = checkThreshold(unique, settings.maxBadFraction);
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
    rowsIn,
    rowsQuarantined,
    notes: [
      ...unique.notes,
      ...unique.columns.flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])),
    ].slice(0, 100),
    ...(quarantine ? { quarantine } : {}),
  };
  const ref = manifestBlob(dataset, work);
  await putManifest(blobs, ref, manifest);
  work.report(1, `${rowsIn} rows, ${rowsQuarantined} of them quarantined`);
  return { dataset, source, manifest: ref.name, rowsIn, rowsQuarantined };
}

/** The first bytes and the metadata of the announced content. @throws PRECONDITION_FAILED when it was overwritten */
async function openHead(
  blobs: StageDeps['blobs'],
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

/** The blob's metadata overrides its path, and the path overrides the dataset's settings. */
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
      `A merge into "${path.dataset}" requires key columns: set "keys" in the dataset's settings or in the blob's metadata.`,
      { dataset: path.dataset },
    );
  return { mode, keys };
}

function tooLarge(sizeBytes: number, maxBytes: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The file has ${sizeBytes} bytes, over the limit of ${maxBytes}. The setting SLIPWAY_LANDING_FILE_BYTES raises the limit.`,
    { sizeBytes, maxBytes },
  );
}
