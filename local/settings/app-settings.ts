import { existsSync, readFileSync } from 'node:fs';
import { AppError } from '../../shared/core/errors.ts';

export type AppSettings = Readonly<Record<string, string>>;

/**
 * Reads the `Values` of a local.settings.json, as Core Tools does; empty when the file is missing.
 *
 * @throws AppError INVALID_ARGUMENT for malformed JSON or a value that is not a string
 */
export function readLocalSettings(file: string): AppSettings {
  if (!existsSync(file)) return {};
  let values: unknown;
  try {
    values = (JSON.parse(readFileSync(file, 'utf8')) as { Values?: unknown }).Values ?? {};
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', `${file} is not JSON: ${(error as Error).message}`, {}, error);
  }
  const wrong = Object.entries(values as object).filter(([, value]) => typeof value !== 'string');
  if (wrong.length > 0)
    throw new AppError(
      'INVALID_ARGUMENT',
      `${file}: values must be strings. Correct ${wrong.map(([name]) => name).join(', ')}.`,
    );
  return values as AppSettings;
}

/** Merges settings. Later layers override earlier ones, and the environment overrides all, as with Core Tools. */
export function mergeSettings(env: NodeJS.ProcessEnv, ...layers: readonly AppSettings[]): AppSettings {
  const merged: Record<string, string> = Object.assign({}, ...layers) as Record<string, string>;
  for (const [name, value] of Object.entries(env)) if (value !== undefined) merged[name] = value;
  return merged;
}
