import { countUtf16Bytes } from '../bytes/transcode-utf16.ts';

/** Converts positions in the window to positions in the decompressed file. Call it with ascending positions. */
export interface Positions {
  at(bytes: Uint8Array, place: number): number;
  /** Drops the window's first bytes: `place` becomes 0. */
  drop(bytes: Uint8Array, place: number): void;
}

export function createPositions(start: number, isUtf16: boolean): Positions {
  return isUtf16 ? new Utf16Positions(start) : new BytePositions(start);
}

class BytePositions implements Positions {
  #start: number;

  /** @param start position of the window in the file */
  constructor(start: number) {
    this.#start = start;
  }

  at(_bytes: Uint8Array, place: number): number {
    return this.#start + place;
  }

  drop(_bytes: Uint8Array, place: number): void {
    this.#start += place;
  }
}

class Utf16Positions implements Positions {
  #position: number;
  #place = 0;

  constructor(start: number) {
    this.#position = start;
  }

  at(bytes: Uint8Array, place: number): number {
    this.#position += countUtf16Bytes(bytes, this.#place, place);
    this.#place = place;
    return this.#position;
  }

  drop(bytes: Uint8Array, place: number): void {
    this.at(bytes, place);
    this.#place = 0;
  }
}
