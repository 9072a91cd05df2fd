import { z } from 'zod';
import { openCursor, sealCursor } from '../../../core/cursor.ts';

/** Where the next page of rows begins: a file of the version, and a row of that file, both from 0. */
export interface RowPosition {
  readonly file: number;
  readonly row: number;
}

/** The content and condition that a cursor belongs to. */
export interface RowListing {
  readonly sha256: string;
  readonly where?: string | undefined;
}

const positionSchema = z.tuple([z.int().min(0), z.int().min(0)]);

/** @example decodeRowCursor({ sha256: 'a' }, encodeRowCursor({ sha256: 'a' }, { file: 3, row: 7 })) // { file: 3, row: 7 } */
export function encodeRowCursor(listing: RowListing, { file, row }: RowPosition): string {
  return sealCursor(toQuery(listing), [file, row]);
}

/** @throws INVALID_ARGUMENT for a cursor of another version or condition, and for an invalid one */
export function decodeRowCursor(listing: RowListing, cursor: string): RowPosition {
  const [file, row] = openCursor(toQuery(listing), cursor, positionSchema);
  return { file, row };
}

function toQuery({ sha256, where = '' }: RowListing) {
  return { sha256, where };
}
