import { AppError } from '../../core/errors.ts';

/** The share of one request in a budget. */
export interface HeldBytes {
  /** @throws RATE_LIMITED when too little is free */
  take(bytes: number): void;
  /** Releases everything that was taken. */
  release(): void;
}

export interface ByteBudget {
  open(): HeldBytes;
}

/**
 * Limits the bytes that request bodies hold together. A body of 16 MB takes several times as much when parsed, and a few
 * dozen of them would exhaust the process's memory.
 */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0;
  return {
    open: () => {
      let heldBytes = 0;
      return {
        take: (bytes) => {
          if (usedBytes + bytes > maxBytes) {
            const message = 'Other requests use all the memory reserved for bodies; try again shortly.';
            throw new AppError('RATE_LIMITED', message, { maxBytes, retryAfterMs: 1_000 });
          }
          usedBytes += bytes;
          heldBytes += bytes;
        },
        release: () => {
          usedBytes -= heldBytes;
          heldBytes = 0;
        },
      };
    },
  };
}
