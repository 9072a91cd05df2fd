/** When a chunk ends, in records. Kept by the table, so that later versions are cut alike and share chunks. */
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
 * Chunks of about 8 MiB, and of no more than half a million records.
 *
 * @param bytesPerRecord the average, line end included
 * @example
 * chooseChunkSize(226).targetRecords // 32768
 */
export function chooseChunkSize(bytesPerRecord: number): ChunkSize {
  const log2 = Math.round(Math.log2(targetBytes / Math.max(1, bytesPerRecord)));
  const targetRecords = 2 ** Math.min(18, Math.max(3, log2));
  return {
    minRecords: targetRecords / 2,
    targetRecords,
    maxRecords: targetRecords * 2,
    maxBytes: maxChunkBytes,
  };
}

/** How many records the decision to cut looks at: as many as the hash has bits to be shifted out. */
const gearRecords = 32;

/** Before the target the condition is 4 times rarer, behind it 4 times more frequent, than one in a target. */
const normalization = 2;

/**
 * Says after which records a chunk ends: by what they hold, so that after a change in one place the cuts further on
 * are where they were. FastCDC with records for bytes: a rolling "gear" hash over the last 32 records, no cut before
 * `minRecords`, and two conditions around the target ("normalised chunking"), which keep sizes close to it.
 *
 * @see https://www.usenix.org/system/files/conference/atc16/atc16-paper-xia.pdf
 */
export class ChunkCutter {
  #records = 0;
  #gear = 0;
  readonly #size: ChunkSize;
  readonly #rareShift: number;
  readonly #frequentShift: number;

  constructor(size: ChunkSize) {
    this.#size = size;
    const bits = Math.log2(size.targetRecords);
    this.#rareShift = 32 - (bits + normalization);
    this.#frequentShift = 32 - Math.max(1, bits - normalization);
  }

  /** @returns whether the chunk ends behind this record */
  add(bytes: DataView, start: number, end: number): boolean {
    const { minRecords, targetRecords, maxRecords } = this.#size;
    const records = this.#records + 1;
    this.#records = records;
    if (records + gearRecords > minRecords) {
      const gear = ((this.#gear << 1) + hashRecord(bytes, start, end)) | 0;
      this.#gear = gear;
      if (records >= minRecords) {
        const shift = records < targetRecords ? this.#rareShift : this.#frequentShift;
        if (gear >>> shift === 0 || records >= maxRecords) return this.cut();
      }
    }
    return false;
  }

  /** Begins a chunk anew. */
  cut(): true {
    this.#records = 0;
    this.#gear = 0;
    return true;
  }
}

/**
 * A hash of a record: of its length and of 16 words that are spread over it, all of it up to 64 bytes. FNV-1a by words,
 * with the last mixing of MurmurHash3.
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
