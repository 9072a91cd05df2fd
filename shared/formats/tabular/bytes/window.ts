/**
 * Bytes to be scanned: `bytes[from, to)`. Behind `to` is room for 8 more, which a scan fills with bytes that stop its
 * loops. `words` and `view` show the same memory.
 */
export interface Window {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly view: DataView;
  from: number;
  to: number;
  /** Nothing follows. */
  isLast: boolean;
}

/** Room behind the bytes of a window. */
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

/** How many bytes fit, whatever is in it. */
export function capacityOf(window: Window): number {
  return window.bytes.length - windowSlack;
}
