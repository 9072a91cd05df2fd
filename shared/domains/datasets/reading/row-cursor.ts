import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import { tryParseJson } from '../../../core/json.ts';

/** Where the next page of rows begins: a file of the version, and a row of that file, both from 0. */
export interface RowPosition {
  readonly file: number;
  readonly row: number;
}

/** What a cursor belongs to: the very same content, under the same condition. */
export interface RowListing {
  readonly sha256: string;
  readonly where?: string | undefined;
}

const cursorSchema = z.tuple([z.literal(1), z.string(), z.int().min(0), z.int().min(0)]);

/** @example decodeRowCursor({ sha256: 'a' }, encodeRowCursor({ sha256: 'a' }, { file: 3, row: 7 })) // { file: 3, row: 7 } */
export function encodeRowCursor(listing: RowListing, { file, row }: RowPosition): string {
  return Buffer.from(JSON.stringify([1, digest(listing), file, row])).toString('base64url');
}

/** @throws INVALID_ARGUMENT for a cursor of another version or condition, or none at all */
export function decodeRowCursor(listing: RowListing, cursor: string): RowPosition {
  const parsed = cursorSchema.safeParse(tryParseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success || parsed.data[1] !== digest(listing))
    throw new AppError('INVALID_ARGUMENT', 'The cursor is not one of this version and condition.');
  const [, , file, row] = parsed.data;
  return { file, row };
}

function digest({ sha256: content, where = '' }: RowListing): string {
  return sha256(`${content}\n${where}`).slice(0, 16);
}
