import { AppError } from '../../core/errors.ts';

/**
 * What names, aliases, tags and stages may be, told in the words that MLflow's clients look for.
 *
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/validation.py
 */
const limits = { name: 256, alias: 255, tagKey: 250, tagValue: 100_000, text: 100_000, uri: 2_000 } as const;

const stageNames = ['None', 'Staging', 'Production', 'Archived'] as const;

/** @throws INVALID_ARGUMENT */
export function checkModelName(name: string): void {
  if (name.trim() === '') throw invalid("Missing value for required parameter 'name'.");
  if (/[/:]/.test(name)) throw invalid(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  if (name === '.' || name.startsWith('..'))
    throw invalid(
      `Invalid value ${JSON.stringify(name)} for parameter 'name' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such.`,
    );
  checkText('name', name, limits.name);
  // They would come back as other names from URLs and blob names.
  if (hasControlCharacter(name))
    throw invalid(
      `Invalid model name ${JSON.stringify(name)}. Names cannot contain control characters or lone surrogates.`,
    );
}

/** @throws INVALID_ARGUMENT */
export function checkAliasName(alias: string): void {
  if (alias === '') throw invalid('Registered model alias name cannot be empty.');
  if (!/^[\p{L}\p{N}_-]+$/u.test(alias))
    throw invalid(
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  checkText('Registered model alias name', alias, limits.alias);
}

/** Names that already mean a version. @throws INVALID_ARGUMENT */
export function checkAliasIsFree(alias: string): void {
  if (alias.toLowerCase() === 'latest') throw invalid("'latest' alias name (case insensitive) is reserved.");
  if (/^v\d+$/i.test(alias)) throw invalid(`Version alias name '${alias}' is reserved.`);
}

/** @throws INVALID_ARGUMENT */
export function checkTagKey(key: string): void {
  const refuse = (why: string) =>
    invalid(`Invalid value ${JSON.stringify(key)} for parameter 'key' supplied: ${why}`);
  if (!/^[\p{L}\p{N}_/.\- :]*$/u.test(key))
    throw refuse(
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    );
  if (key.startsWith('..') || key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw refuse(
      'Names may be treated as files in certain cases, and must not resolve to other names when treated as such.',
    );
  checkText('key', key, limits.tagKey);
}

/** @throws INVALID_ARGUMENT */
export function checkTag(key: string, value: string): void {
  checkTagKey(key);
  if (key === 'mlflow.prompt.text' && value.length > limits.tagValue)
    throw invalid(`Prompt text exceeds max length of ${limits.tagValue} characters.`);
  checkText('value', value, limits.tagValue);
}

/** Descriptions and the like. @throws INVALID_ARGUMENT */
export function checkDescription(text: string): void {
  checkText('description', text, limits.text);
}

/** @throws INVALID_ARGUMENT */
export function checkUri(parameter: string, uri: string): void {
  checkText(parameter, uri, limits.uri);
}

/** @throws INVALID_ARGUMENT for a stage that does not exist; upper and lower case are the same */
export function toStage(text: string): (typeof stageNames)[number] {
  const stage = stageNames.find((name) => name.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw invalid(`Invalid Model Version stage: ${text}. Value must be one of ${stageNames.join(', ')}.`);
}

/** @throws INVALID_ARGUMENT */
export function toVersionNumber(text: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  throw invalid(`Parameter 'version' must be an integer, got '${text}'.`);
}

function checkText(what: string, text: string, limit: number): void {
  if (!text.isWellFormed()) throw invalid(`'${what}' must not hold lone surrogates.`);
  if (text.length > limit) throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`);
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

export function invalid(message: string): AppError {
  return new AppError('INVALID_ARGUMENT', message);
}
