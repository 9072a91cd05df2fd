import { AppError } from '../../core/errors.ts';
import type { Metadata, Protocol } from './log/actions.ts';

/** What our own tables require of readers and writers. */
export const ownProtocol: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** Features that do not affect reading, and features that our writes respect. */
const readable = new Set(['vacuumProtocolCheck']);
const writable = new Set([...readable, 'appendOnly', 'invariants']);

/**
 * Refuses tables whose rows would be read wrongly.
 *
 * @throws UNPROCESSABLE naming unsupported features
 */
export function checkReadable({ minReaderVersion, readerFeatures = [] }: Protocol): void {
  const unknown = readerFeatures.filter((feature) => !readable.has(feature));
  if (minReaderVersion === 1 || (minReaderVersion === 3 && unknown.length === 0)) return;
  throw unsupported('reader', minReaderVersion, unknown);
}

/** @throws UNPROCESSABLE naming unsupported features */
export function checkWritable(protocol: Protocol, metadata: Metadata): void {
  checkReadable(protocol);
  const { minWriterVersion, writerFeatures = [] } = protocol;
  const unknown = writerFeatures.filter((feature) => !writable.has(feature));
  if (minWriterVersion > 2 && (minWriterVersion !== 7 || unknown.length > 0))
    throw unsupported('writer', minWriterVersion, unknown);
  if (metadata.format.provider !== 'parquet') {
    const { provider } = metadata.format;
    throw new AppError('UNPROCESSABLE', `The table's files have the format "${provider}", not Parquet.`);
  }
  // They would have to be evaluated for each row, as Spark SQL.
  if (metadata.schemaString.includes('"delta.invariants"'))
    throw new AppError(
      'UNPROCESSABLE',
      'The table has column invariants, which are not supported: it cannot be written to.',
    );
}

function unsupported(role: string, version: number, features: readonly string[]): AppError {
  const why = features.length > 0 ? ` (table features: ${features.join(', ')})` : '';
  const remedy = 'recreate the table without them, or use the tool that created it';
  return new AppError(
    'UNPROCESSABLE',
    `The table requires Delta ${role} version ${version}${why}, which is not supported; ${remedy}.`,
    { role, version, features },
  );
}
