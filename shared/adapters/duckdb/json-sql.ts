/**
 * DuckDB writes `NaN`, `Infinity` and `-Infinity` into what it calls JSON as they are, which no JSON parser takes: this
 * makes strings of them.
 *
 * @param json SQL of a text that `to_json` or `json_object` made
 */
export function nameNotFinite(json: string): string {
  // Strings are passed over by being matched; each gets an empty pair of quotes behind it, which is then taken away.
  const quoted = `regexp_replace(${json}, '(${stringPattern})|(-?(?:NaN|Infinity))', '\\1"\\2"', 'g')`;
  const mended = `regexp_replace(${quoted}, '(${stringPattern})(?:"")?', '\\1', 'g')`;
  return `CASE WHEN regexp_matches(${json}, 'NaN|Infinity') THEN ${mended} ELSE ${json} END`;
}

const stringPattern = String.raw`"(?:[^"\\]|\\.)*"`;
