import type { Clock } from '../../core/clock.ts';
import { type Ids, sha256 } from '../../core/ids.ts';

const timeDigits = 4;
const timeCycleMinutes = 16 ** 4;
const randomDigits = 8;
const checkDigits = 3;
const experimentDigits = 15;
/** RFC 9562: a UUID of version 8, whose other bits mean what its issuer decides; and the variant of all UUIDs. */
const version = '8';
const variant = '8';

const canonicalDecimal = /^(?:0|[1-9][0-9]{0,18})$/;
const runIdPattern = /^([0-9a-f]{12})8([0-9a-f]{3})8([0-9a-f]{15})$/;

const minuteMs = 60_000;

/**
 * Creates the id of a new run: 32 hex digits. It contains the experiment, so that finding the run needs no lookup:
 *
 *     time (4) random (8) 8 check digits (3) 8 experiment id as a hexadecimal number (15)
 *
 * The time is in minutes and starts again after 45 days. It makes the ids of new runs neighbours, which share the pages of
 * an index. An experiment id that is no canonical decimal below 2^60 gives a random UUID v4, which needs a pointer.
 *
 * @param deps.ids whose UUIDs begin with 8 random digits
 * @returns an id that may be taken already, once in 2^32 times for each run of the same experiment and minute
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 * @example
 * const ids = { uuid: () => '0b9a4c1e-77d2-4f6b-9c3a-2f1d5e8b7a60' };
 * const clock = { now: () => Date.UTC(2026, 0, 1) };
 * createRunId('42', { ids, clock }) // '6dc00b9a4c1e8d37800000000000002a'
 * createRunId('my-experiment', { ids, clock }) // '0b9a4c1e77d24f6b9c3a2f1d5e8b7a60'
 */
export function createRunId(
  experimentId: string,
  { ids, clock }: { readonly ids: Pick<Ids, 'uuid'>; readonly clock: Pick<Clock, 'now'> },
): string {
  const uuid = ids.uuid().replaceAll('-', '');
  const experiment = encodeExperiment(experimentId);
  if (experiment === undefined) return uuid;
  const minute = Math.floor(clock.now() / minuteMs) % timeCycleMinutes;
  const prefix = minute.toString(16).padStart(timeDigits, '0') + uuid.slice(0, randomDigits);
  return `${prefix}${version}${check(prefix, experiment)}${variant}${experiment}`;
}

/**
 * The id of a run that is found again by what it records: 32 digits of a hash. It contains no experiment, because the 48
 * bits left beside one are too few to tell names apart.
 *
 * @param name unique among the callers' names
 * @example
 * runIdOfName('pipeline run late-flights-v3') // '1ffe0187fca505baaef1012a7150e386'
 */
export function runIdOfName(name: string): string {
  const id = sha256(name).slice(0, 32);
  return experimentOfRunId(id) === undefined ? id : `${id.slice(0, 12)}4${id.slice(13)}`;
}

/**
 * Reads the experiment from a run id. The run need not exist.
 *
 * @returns undefined for an id that contains none. One in a million random digits (2^20) happens to contain one; a UUID
 *   of another version never does
 * @example
 * experimentOfRunId('6dc00b9a4c1e8d37800000000000002a') // '42'
 * experimentOfRunId('0b9a4c1e77d24f6b9c3a2f1d5e8b7a60') // undefined
 */
export function experimentOfRunId(runId: string): string | undefined {
  const [, prefix, found, experiment] = runIdPattern.exec(runId) ?? [];
  if (prefix === undefined || experiment === undefined) return undefined;
  return found === check(prefix, experiment) ? BigInt(`0x${experiment}`).toString() : undefined;
}

function encodeExperiment(experimentId: string): string | undefined {
  if (!canonicalDecimal.test(experimentId)) return undefined;
  const digits = BigInt(experimentId).toString(16);
  return digits.length > experimentDigits ? undefined : digits.padStart(experimentDigits, '0');
}

function check(prefix: string, experiment: string): string {
  return sha256(prefix + experiment).slice(0, checkDigits);
}
