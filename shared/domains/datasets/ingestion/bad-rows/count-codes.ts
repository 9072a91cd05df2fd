import type { BadRows } from './bad-rows.ts';

/** Bad rows by code, over all parts of a file. */
export function countCodes(parts: readonly Pick<BadRows, 'codes'>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { codes } of parts)
    for (const [code, rows] of Object.entries(codes)) counts[code] = (counts[code] ?? 0) + rows;
  return counts;
}
