/* Phrases that several wordings share. */

export const badCharacters =
  'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';

export const badPath =
  'Names may be treated as files in certain cases, and must not resolve to other names when treated as such.';

/** Clients match this sentence up to "supplied". */
export function invalidValue(parameter: string, value: unknown, reason: string): string {
  const json = JSON.stringify(value) ?? 'null';
  const shown = json.length > 300 ? `${json.slice(0, 300)}...` : json;
  return `Invalid value ${shown} for parameter '${parameter}' supplied: ${reason}`;
}

/** Clients match this sentence up to the parameter. */
export function missingValue(parameter: string): string {
  return `Missing value for required parameter '${parameter}'. See the API docs for more information about request parameters.`;
}

export function tooLong(what: string, maxCharacters: number): string {
  return `'${what}' exceeds the maximum length of ${maxCharacters} characters`;
}
