import { z } from 'zod';
import { tryParseJson } from '../../../core/json/json.ts';

/** Columns as a query parameter: `id,price`, or `["id","a,b"]` for names with commas. */
export const columnNamesSchema = z
  .string()
  .max(100_000)
  .describe('Names separated by commas, or a JSON array of names.')
  .transform((text, context) => {
    if (!text.startsWith('[')) return text.split(',');
    const names = z.array(z.string()).safeParse(tryParseJson(text));
    if (names.success) return names.data;
    context.addIssue('must be names separated by commas, or a JSON array of names');
    return z.NEVER;
  });
