import type { Window } from '../bytes/window.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Finds the start of the record after a line end: `\n`, `\r\n` or `\r`, or the end of the last window.
 *
 * @param at the position after the first byte of the line end; `window.to + 1` when the record fills the window
 * @returns -1 when more bytes are needed
 */
export function findNextRecord({ bytes, to, isLast }: Window, at: number): number {
  if (at > to) return isLast ? to : -1;
  if (bytes[at - 1] !== carriageReturn) return at;
  if (at < to) return bytes[at] === lineFeed ? at + 1 : at;
  return isLast ? at : -1;
}
