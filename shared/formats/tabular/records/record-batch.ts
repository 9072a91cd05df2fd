/** The records that a scan found in a window: start, end and fault of each. */
export interface RecordBatch {
  count: number;
  readonly starts: Int32Array;
  /** Before the line end. */
  readonly ends: Int32Array;
  /** Values of `faults`; 0 for a good record. */
  readonly faults: Uint8Array;
}

export const faults = {
  none: 0,
  ragged: 1,
  quoteInField: 2,
  textAfterQuote: 3,
  unterminatedQuote: 4,
  tooLong: 5,
  controlCharacter: 6,
  tooDeep: 7,
} as const;
export type Fault = (typeof faults)[keyof typeof faults];

/** Bounds a batch: a window could hold half a million records of 1 byte. */
export const maxBatchRecords = 32_768;

export function createBatch(): RecordBatch {
  return {
    count: 0,
    starts: new Int32Array(maxBatchRecords),
    ends: new Int32Array(maxBatchRecords),
    faults: new Uint8Array(maxBatchRecords),
  };
}

export function addRecord(batch: RecordBatch, start: number, end: number, fault: Fault): void {
  const index = batch.count;
  batch.starts[index] = start;
  batch.ends[index] = end;
  batch.faults[index] = fault;
  batch.count = index + 1;
}
