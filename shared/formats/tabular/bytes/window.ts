/**
 * Bytes to scan: `bytes[from, to)`. After `to` there is room for 8 sentinel bytes that stop the scan's loops. `words` and
 * `view` share the memory.
 */
export interface Window {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly view: DataView;
  from: number;
  to: number;
  /** Whether this is the end of the source. */
  isLast: boolean;
}

/** Room for sentinels. */
export const windowSlack = 8;

export function createWindow(capacity: number): Window {
  const buffer = new ArrayBuffer((capacity + windowSlack + 7) & ~7);
  return {
    bytes: Buffer.from(buffer),
    words: new Int32Array(buffer),
    view: new DataView(buffer),
    from: 0,
    to: 0,
    isLast: false,
  };
}

/** The number of bytes that fit. */
export function capacityOf(window: Window): number {
  return window.bytes.length - windowSlack;
}
