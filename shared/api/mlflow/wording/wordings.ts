import type { AppError } from '../../../core/errors.ts';
import { artifactWordings } from './artifacts.ts';
import { cursorWordings } from './cursors.ts';
import { registryWordings } from './registry.ts';
import { searchWordings } from './search.ts';
import { trackingWordings } from './tracking.ts';

type Wording = (facts: never) => string;

/** Every error that MLflow words in its own way, by reason. */
const wordings: ReadonlyMap<string, Wording> = new Map(
  [artifactWordings, cursorWordings, registryWordings, searchWordings, trackingWordings].flatMap((some) =>
    Object.entries<Wording>(some),
  ),
);

/**
 * What MLflow's own server says of an error: clients and their tests match parts of these sentences.
 *
 * @returns the platform's own sentence where MLflow has none
 */
export function toMlflowMessage({ message, details }: Pick<AppError, 'message' | 'details'>): string {
  const { reason } = details;
  const wording = typeof reason === 'string' ? wordings.get(reason) : undefined;
  return wording === undefined ? message : wording(details as never);
}
