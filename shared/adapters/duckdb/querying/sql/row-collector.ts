import { AppError } from '../../../../core/errors.ts';
import type { JsonRows } from '../../../../domains/datasets/reading/table-engine.ts';

/** Collects rows in JSON, up to a number of rows and bytes. */
export class RowCollector {
  readonly #rows: string[] = [];
  readonly #maxRows: number;
  readonly #maxBytes: number;
  #sizeBytes = 0;
  #cutBy: 'rows' | 'bytes' | undefined;

  readonly #canBeEmpty: boolean;

  constructor(maxRows: number, maxBytes: number, canBeEmpty = false) {
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
    this.#canBeEmpty = canBeEmpty;
  }

  /** The limit that refused a row. */
  get cutBy(): 'rows' | 'bytes' | undefined {
    return this.#cutBy;
  }

  /**
   * @returns false when the row exceeds a limit
   * @throws UNPROCESSABLE for a first row that is too large, unless the result may be empty: paging would never get past it
   */
  add(row: string): boolean {
    const sizeBytes = Buffer.byteLength(row) + 1;
    if (this.#rows.length >= this.#maxRows) this.#cutBy = 'rows';
    else if (this.#sizeBytes + sizeBytes > this.#maxBytes) this.#cutBy = 'bytes';
    if (this.#cutBy === 'bytes' && this.#rows.length === 0 && !this.#canBeEmpty)
      throw tooLarge(sizeBytes, this.#maxBytes);
    if (this.#cutBy !== undefined) return false;
    this.#rows.push(row);
    this.#sizeBytes += sizeBytes;
    return true;
  }

  finish(): JsonRows {
    return { text: this.#rows.join(','), count: this.#rows.length };
  }
}

function tooLarge(sizeBytes: number, maxBytes: number): AppError {
  const message = `A single row has ${sizeBytes} bytes as JSON, over the limit of ${maxBytes} for an answer. Leave out large columns, or download the version.`;
  return new AppError('UNPROCESSABLE', message, { sizeBytes, maxBytes });
}
