import { defineErrors, errorKind } from '../../core/error-kinds.ts';

/** The subject of the message: `Blob "raw/a.csv"`. */
interface Subject {
  readonly subject: string;
}

/** Distinguishes a missing blob from a missing container, which is a configuration error. */
export const blobErrors = defineErrors({
  blobMissing: errorKind('NOT_FOUND', ({ subject }: Subject) => `${subject} does not exist.`),
  containerMissing: errorKind(
    'NOT_FOUND',
    ({ subject }: Subject) => `${subject} does not exist: its container is missing.`,
  ),
});
