import { defineErrors, errorKind } from '../../core/error-kinds.ts';

/** What was worked on, as the subject of a sentence: `Blob "raw/a.csv"`. */
interface Subject {
  readonly subject: string;
}

/** What a blob store does not have. Callers must tell a blob from its container, which is a mistake in configuration. */
export const blobErrors = defineErrors({
  blobMissing: errorKind('NOT_FOUND', ({ subject }: Subject) => `${subject} does not exist.`),
  containerMissing: errorKind(
    'NOT_FOUND',
    ({ subject }: Subject) => `${subject} does not exist: its container is missing.`,
  ),
});
