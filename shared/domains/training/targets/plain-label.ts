import type { Label } from '../entities.ts';

/** A label that is the column itself. @returns What is wrong with any other. */
export function checkPlainLabel({ op }: Label): string | undefined {
  return op === undefined ? undefined : 'must be the column alone: leave op and value out';
}
