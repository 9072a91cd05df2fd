/**
 * Quotes `NaN`, `Infinity` and `-Infinity`, which DuckDB writes bare into JSON, and no JSON parser accepts.
 *
 * @param json an expression with `to_json` or `json_object`
 */
export function nameNotFinite(json: string): string {
  // Matching strings skips their content, but leaves an empty pair of quotes after each, which the second step removes.
  const quoted = `regexp_replace(${json}, '(${stringPattern})|(-?(?:NaN|Infinity))', '\\1"\\2"', 'g')`;
  const mended = `regexp_replace(${quoted}, '(${stringPattern})(?:"")?', '\\1', 'g')`;
  return `CASE WHEN regexp_matches(${json}, 'NaN|Infinity') THEN ${mended} ELSE ${json} END`;
}

const stringPattern = String.raw`"(?:[^"\\]|\\.)*"`;
