import { isUtf8 } from 'node:buffer';
import type { BadRow, TextShape } from '../text-chunk.ts';
import { describeEncoding } from '../bytes/encodings.ts';
import { type Fault, faults } from './record-batch.ts';
import { countFields } from './resync.ts';
import { maxJsonDepth } from './scan-json-lines.ts';

export const maxRawBytes = 64 * 1024;

/** The number of a bad record, and its position in the file. */
export type BadPlace = Pick<BadRow, 'row' | 'byteOffset' | 'byteLength'>;

/**
 * @param content the record's bytes; for one that is too long, at least the first 64 KiB
 * @param isEncoded whether all of the content is UTF-8
 */
export function describeFault(
  place: BadPlace,
  content: Buffer,
  fault: Fault | 'encoding',
  shape: TextShape,
  maxRecordBytes: number,
): BadRow {
  const { code, reason } = explain(content, fault, shape, maxRecordBytes);
  return { ...place, code, reason, ...showRaw(content) };
}

function explain(
  content: Buffer,
  fault: Fault | 'encoding',
  shape: TextShape,
  maxRecordBytes: number,
): Pick<BadRow, 'code' | 'reason'> {
  switch (fault) {
    case 'encoding':
      return { code: 'BAD_ENCODING', reason: `The record is not UTF-8: ${describeEncoding(content)}.` };
    case faults.ragged:
      return { code: 'RAGGED_ROW', reason: explainRagged(content, shape) };
    case faults.quoteInField:
      return {
        code: 'QUOTE_IN_FIELD',
        reason: 'An unquoted field contains a quote. Quote the field, and double the quotes in it.',
      };
    case faults.textAfterQuote:
      return {
        code: 'TEXT_AFTER_QUOTE',
        reason: 'A field continues after its closing quote. Double the quotes inside of a field.',
      };
    case faults.unterminatedQuote:
      return { code: 'UNTERMINATED_QUOTE', reason: 'A field starts with a quote that is not closed.' };
    case faults.tooLong:
      return {
        code: 'TOO_LONG',
        reason: `The record exceeds the limit of ${maxRecordBytes} bytes (maxRecordBytes).`,
      };
    case faults.controlCharacter:
      return {
        code: 'BAD_JSON',
        reason: 'JSON cannot contain raw control characters: escape them.',
      };
    case faults.tooDeep:
      return {
        code: 'BAD_JSON',
        reason: `The value is nested deeper than ${maxJsonDepth} arrays and objects.`,
      };
    case faults.none:
      throw new TypeError('a record without a fault');
  }
}

function explainRagged(content: Buffer, shape: TextShape): string {
  if (shape.kind !== 'csv') throw new TypeError('fields are of CSV');
  const { delimiter, header } = shape;
  const fields = countFields(content, 0, content.length, delimiter.charCodeAt(0));
  const found = `The record has ${fields} ${fields === 1 ? 'field' : 'fields'}, the header has ${header.length}`;
  if (fields < header.length) return `${found}: fields are missing from “${header[fields]}” on.`;
  const hint =
    content.toString('latin1', content.length - 1) === delimiter ? 'it ends with a delimiter' : undefined;
  return `${found}: ${hint ?? `quote fields that contain ${JSON.stringify(delimiter)}`}.`;
}

/** As text: UTF-8, falling back to Latin-1, in which each byte is one character. */
export function showRaw(content: Buffer): Pick<BadRow, 'raw' | 'isLatin1' | 'isCut'> {
  const isCut = content.length > maxRawBytes;
  const shown = isCut ? content.subarray(0, cutBetweenCharacters(content, maxRawBytes)) : content;
  return {
    ...(isUtf8(shown) ? { raw: shown.toString('utf8') } : { raw: shown.toString('latin1'), isLatin1: true }),
    ...(isCut ? { isCut } : {}),
  };
}

function cutBetweenCharacters(content: Buffer, length: number): number {
  for (let at = length; at > length - 4; at -= 1) if ((content[at]! & 0xc0) !== 0x80) return at;
  return length;
}
