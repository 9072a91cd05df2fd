import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readFilePath } from '../../../shared/domains/artifacts/artifact-path.ts';
import { guessContentType } from '../../../shared/domains/artifacts/content-type.ts';
import { isAppError } from '../../../shared/core/errors.ts';
import { toDisposition } from '../../../shared/api/mlflow/artifacts/reply.ts';

interface Golden {
  readonly paths: readonly { readonly given: string; readonly path: string | null }[];
  readonly names: readonly { readonly name: string; readonly type: string; readonly disposition: string }[];
}

const file = new URL('../../golden/artifacts/golden.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;

/** Where we are stricter than MLflow, with the reason. */
const refused = new Map([['a..', 'Azure drops dots at the end of a part']]);
/** MLflow knows this name only in lower case, which nobody uses. */
const typedOtherwise = new Set(['MLproject']);

it.each(golden.paths)('resolves the path $given as MLflow does', ({ given, path }) => {
  let read: string | null = null;
  try {
    read = readFilePath(given);
  } catch (error) {
    if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
  }
  expect(read).toBe(refused.has(given) ? null : path);
});

it.each(golden.names)('serves the file $name with MLflow’s content type', ({ name, type, disposition }) => {
  if (!typedOtherwise.has(name)) expect(guessContentType(name)).toBe(type);
  expect(toDisposition(name)).toBe(disposition);
});
