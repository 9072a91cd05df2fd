import { AppError } from '../../core/errors.ts';

/** What one request holds of a budget. */
export interface HeldBytes {
  /** @throws RATE_LIMITED when the others leave too little */
  take(bytes: number): void;
  /** Gives everything back. */
  release(): void;
}

export interface ByteBudget {
  open(): HeldBytes;
}

/**
 * Bounds the bytes that requests hold at once: a body of 16 MB becomes several times as much once it is parsed, and a
 * few dozen of them together would take the process's memory.
 */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0;
  return {
    open: () => {
      let heldBytes = 0;
      return {
        take: (bytes) => {
          if (usedBytes + bytes > maxBytes) {
            const message =
              'The bodies of other requests fill the memory set aside for them; try again shortly.';
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
