import { AppError } from '../../../../core/errors.ts';
import { datasetName, type Mode, modes, type Source } from '../../entities.ts';

export interface LandingPath {
  readonly dataset: string;
  readonly file: string;
  /** When the path says it: `landing/<dataset>/overwrite/<file>`. */
  readonly mode?: Mode;
}

/** Where a file is to go: where somebody wants it, or where its name says. @throws UNPROCESSABLE as `parseLandingPath` */
export function targetOf({ name, into }: Pick<Source, 'name' | 'into'>): LandingPath {
  if (!into) return parseLandingPath(name);
  return { dataset: into.dataset, file: name, ...(into.mode === undefined ? {} : { mode: into.mode }) };
}

/** What a landed file says about how it wants to come in. */
export interface LandingRequest {
  readonly mode?: Mode | undefined;
  readonly keys?: readonly string[] | undefined;
}

/**
 * Where a landing blob wants to go: `landing/<dataset>/<file>`, or `landing/<dataset>/<mode>/<file>`.
 *
 * @throws UNPROCESSABLE naming the remedy
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
      `"${name}" does not say which dataset it is for: upload it as <dataset>/<file>, with the dataset in lower case.`,
      { name },
    );
  }
  const mode = modes.find((each) => file.startsWith(`${each}/`) && file.length > each.length + 1);
  return mode === undefined ? { dataset, file } : { dataset, file, mode };
}

/**
 * What a blob's metadata asks for: `mode`, and `keys` separated by commas (JSON for names with commas or other than
 * ASCII). Metadata goes before the path, and the path before the dataset's settings.
 *
 * @throws UNPROCESSABLE for a mode that is none
 */
export function readLandingMetadata(metadata: Readonly<Record<string, string>>): LandingRequest {
  const mode = metadata['mode']?.toLowerCase();
  if (mode !== undefined && !isMode(mode))
    throw new AppError('UNPROCESSABLE', `The blob's metadata "mode" is none of ${modes.join(', ')}.`, {
      mode,
    });
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
    'The blob\'s metadata "keys" is neither names with commas nor a JSON array.',
    {},
    cause,
  );
}
