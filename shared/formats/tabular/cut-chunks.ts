import { ceilLog2, floorLog2 } from '../../core/stats/floor-log2.ts';
import { powerOfTwo } from '../../core/stats/power-of-two.ts';

/** The size of chunks, in records. The table keeps it, so that later versions are cut alike and share chunks. */
export interface ChunkSize {
  readonly minRecords: number;
  /** A power of two. */
  readonly targetRecords: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

const targetBytes = 8 * 1024 * 1024;
const maxChunkBytes = 32 * 1024 * 1024;

/**
 * Chooses chunks of about 8 MiB, and of at most half a million records.
 *
 * @param bytesPerRecord the average, line end included
 * @example
 * chooseChunkSize(226).targetRecords // 32768
 */
export function chooseChunkSize(bytesPerRecord: number): ChunkSize {
  const records = Math.min(2 ** 18, Math.max(8, targetBytes / Math.max(1, bytesPerRecord)));
  const targetRecords = powerOfTwo(roundLog2(records));
  return {
    minRecords: targetRecords / 2,
    targetRecords,
    maxRecords: targetRecords * 2,
    maxBytes: maxChunkBytes,
  };
}

/**
 * Rounds the double nearest to log2 x, for x ≥ 8. Near k + ½ such doubles are multiples of 2^(⌊log2 k⌋ - 52), so the
 * largest x below √2 · 2^k round up, too: tables have been cut that way.
 */
function roundLog2(x: number): number {
  const floor = floorLog2(x);
  const middle = (Math.SQRT2 - powerOfTwo(floorLog2(floor) - 53)) * powerOfTwo(floor);
  return x < middle ? floor : floor + 1;
}

/**
 * Decides after which records a chunk ends, by their content, so that a change in one place does not move later cuts.
 * FastCDC on records instead of bytes: a rolling "gear" hash over the last records (32, but at most a sixteenth of a
 * chunk), no cut before `minRecords`, then a condition that one record in half a target fulfils. From one and a half
 * targets on it is 4 times more likely, because a cut at the maximum size moves with every change before it.
 *
 * After a change, cuts realign after 1.4 targets on average, and after 5 in one case of a hundred. FastCDC's "normalised
 * chunking" (4 times less likely before the target, 4 times more likely after it) has more even sizes, but realigns half
 * as fast (simulated: 3.0 and 12).
 *
 * @see https://www.usenix.org/system/files/conference/atc16/atc16-paper-xia.pdf
 */
export class ChunkCutter {
  #records = 0;
  #gear = 0;
  readonly #size: ChunkSize;
  /** A record is out of the hash once it is shifted out. */
  readonly #gearShift: number;
  readonly #hashFrom: number;
  readonly #late: number;
  readonly #shift: number;
  readonly #lateShift: number;

  constructor(size: ChunkSize) {
    this.#size = size;
    this.#gearShift = Math.min(16, Math.max(1, 512 / size.targetRecords));
    this.#hashFrom = size.minRecords - 32 / this.#gearShift;
    this.#late = size.targetRecords * 1.5;
    const bits = ceilLog2(size.targetRecords);
    this.#shift = 32 - Math.max(1, bits - 1);
    this.#lateShift = 32 - Math.max(1, bits - 3);
  }

  /** @returns whether the chunk ends after this record */
  add(bytes: DataView, start: number, end: number): boolean {
    const { minRecords, maxRecords } = this.#size;
    const records = this.#records + 1;
    this.#records = records;
    if (records <= this.#hashFrom) return false;
    this.#gear = ((this.#gear << this.#gearShift) + hashRecord(bytes, start, end)) | 0;
    if (records < minRecords) return false;
    const shift = records < this.#late ? this.#shift : this.#lateShift;
    const isCut = this.#gear >>> shift === 0;
    if (isCut || records >= maxRecords) this.cut();
    return isCut || records >= maxRecords;
  }

  /** Starts a new chunk. */
  cut(): void {
    this.#records = 0;
    this.#gear = 0;
  }
}

/**
 * Hashes the length of a record and 16 words spread over it, or all bytes of a record up to 64 bytes. FNV-1a on words, with
 * the finalizer of MurmurHash3.
 *
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function hashRecord(bytes: DataView, start: number, end: number): number {
  const length = end - start;
  let hash = 0x811c9dc5 ^ length;
  if (length <= 64) {
    let at = start;
    for (; at + 4 <= end; at += 4) hash = mix(hash, bytes.getInt32(at, true));
    for (; at < end; at += 1) hash = mix(hash, bytes.getUint8(at));
  } else {
    const step = (length - 4) / 15;
    for (let word = 0; word < 16; word += 1)
      hash = mix(hash, bytes.getInt32(start + ((word * step) | 0), true));
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x01000193);
  return mixed ^ (mixed >>> 15);
}
