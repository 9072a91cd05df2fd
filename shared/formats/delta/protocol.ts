import { AppError } from '../../core/errors.ts';
import type { Metadata, Protocol } from './log/actions.ts';

/** What our own tables ask of their readers and writers. */
export const ownProtocol: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** Features that change nothing for who reads, and those that our writing respects. */
const readable = new Set(['vacuumProtocolCheck']);
const writable = new Set([...readable, 'appendOnly', 'invariants']);

/**
 * Refuses tables whose rows would be read wrongly.
 *
 * @throws UNPROCESSABLE naming what is not supported
 */
export function checkReadable({ minReaderVersion, readerFeatures = [] }: Protocol): void {
  const unknown = readerFeatures.filter((feature) => !readable.has(feature));
  if (minReaderVersion === 1 || (minReaderVersion === 3 && unknown.length === 0)) return;
  throw unsupported('reader', minReaderVersion, unknown);
}

/** @throws UNPROCESSABLE naming what is not supported */
export function checkWritable(protocol: Protocol, metadata: Metadata): void {
  checkReadable(protocol);
  const { minWriterVersion, writerFeatures = [] } = protocol;
  const unknown = writerFeatures.filter((feature) => !writable.has(feature));
  if (minWriterVersion > 2 && (minWriterVersion !== 7 || unknown.length > 0))
    throw unsupported('writer', minWriterVersion, unknown);
  if (metadata.format.provider !== 'parquet') {
    const { provider } = metadata.format;
    throw new AppError('UNPROCESSABLE', `The table's files are of the format "${provider}", not Parquet.`);
  }
  // They would have to be checked for each row written, and only SQL could say what they are.
  if (metadata.schemaString.includes('"delta.invariants"'))
    throw new AppError(
      'UNPROCESSABLE',
      'The table has column invariants, which are not supported: nothing can be written to it.',
    );
}

function unsupported(role: string, version: number, features: readonly string[]): AppError {
  const why = features.length > 0 ? ` (table features: ${features.join(', ')})` : '';
  const remedy = 'recreate the table without them, or use what made it so';
  return new AppError(
    'UNPROCESSABLE',
    `The table asks for Delta ${role} version ${version}${why}, which is not supported here; ${remedy}.`,
    { role, version, features },
  );
}
