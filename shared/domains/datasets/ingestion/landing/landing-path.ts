import { AppError } from '../../../../core/errors.ts';
import { datasetName } from '../../../../core/names/dataset-name.ts';
import { type Mode, modes, type Source } from '../../entities.ts';

export interface LandingPath {
  readonly dataset: string;
  readonly file: string;
  /** If the path names it: `landing/<dataset>/overwrite/<file>`. */
  readonly mode?: Mode;
}

/** The dataset and mode of a file: those requested for it, or those in its path. @throws UNPROCESSABLE as `parseLandingPath` */
export function targetOf({ name, into }: Pick<Source, 'name' | 'into'>): LandingPath {
  if (!into) return parseLandingPath(name);
  return { dataset: into.dataset, file: name, ...(into.mode === undefined ? {} : { mode: into.mode }) };
}

/** How a landed file asks to be ingested. */
export interface LandingRequest {
  readonly mode?: Mode | undefined;
  readonly keys?: readonly string[] | undefined;
}

/**
 * Parses the path of a landed blob: `<dataset>/<file>` or `<dataset>/<mode>/<file>`.
 *
 * @throws UNPROCESSABLE with the remedy
 * @example
 * parseLandingPath('flights/2001-01.parquet').dataset // 'flights'
 * parseLandingPath('flights/overwrite/2001.csv').mode // 'overwrite'
 */
export function parseLandingPath(name: string): LandingPath {
  const slash = name.indexOf('/');
  const dataset = name.slice(0, Math.max(0, slash));
  const file = name.slice(slash + 1);
  if (!datasetName.safeParse(dataset).success || file === '') {
    throw new AppError(
      'UNPROCESSABLE',
      `"${name}" does not name a dataset: upload it as <dataset>/<file>, with the dataset in lower case.`,
      { name },
    );
  }
  const mode = modes.find((each) => file.startsWith(`${each}/`) && file.length > each.length + 1);
  return mode === undefined ? { dataset, file } : { dataset, file, mode };
}

/**
 * Reads a blob's metadata: `mode`, and `keys` separated by commas, or as a JSON array for names with commas or
 * non-ASCII characters. Metadata overrides the path, and the path overrides the dataset's settings.
 *
 * @throws UNPROCESSABLE for an invalid mode or invalid keys
 */
export function readLandingMetadata(metadata: Readonly<Record<string, string>>): LandingRequest {
  const mode = metadata['mode']?.toLowerCase();
  if (mode !== undefined && !isMode(mode))
    throw new AppError(
      'UNPROCESSABLE',
      `Invalid mode in the blob's metadata: use one of ${modes.join(', ')}.`,
      {
        mode,
      },
    );
  const keys = metadata['keys'] === undefined ? undefined : readKeys(metadata['keys']);
  return { ...(mode === undefined ? {} : { mode }), ...(keys === undefined ? {} : { keys }) };
}

function isMode(text: string): text is Mode {
  return (modes as readonly string[]).includes(text);
}

function readKeys(text: string): readonly string[] {
  if (!text.trimStart().startsWith('['))
    return text
      .split(',')
      .map((key) => key.trim())
      .filter((key) => key !== '');
  try {
    const keys: unknown = JSON.parse(text);
    if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  } catch (error) {
    throw badKeys(error);
  }
  throw badKeys();
}

function badKeys(cause?: unknown): AppError {
  return new AppError(
    'UNPROCESSABLE',
    'Invalid "keys" in the blob\'s metadata: write names separated by commas, or a JSON array of names.',
    {},
    cause,
  );
}
