import { findKeyProblem } from '../../core/names/key-rules.ts';
import { mlflowTags } from '../../core/names/mlflow-names.ts';
import { registryErrors } from './errors.ts';
import { type Stage, stages } from './stage-names.ts';

/**
 * In characters. They are MLflow's, so that what its servers accept is accepted here.
 *
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/validation.py
 */
const limits = {
  name: 256,
  alias: 255,
  tagKey: 250,
  tagValue: 100_000,
  description: 100_000,
  source: 2_000,
} as const;

/** @throws INVALID_ARGUMENT */
export function checkModelName(name: string, isNew = false): void {
  if (name.trim() === '') throw registryErrors.nameEmpty({ isNew });
  if (/[/:]/.test(name)) throw registryErrors.nameHasSeparator({ name });
  if (name === '.' || name.startsWith('..')) throw registryErrors.nameIsPath({ name });
  checkField('name', name);
  // URLs and blob names would change them.
  if (/\p{Cc}/u.test(name)) throw registryErrors.nameHasControls({ name });
}

/** @throws INVALID_ARGUMENT */
export function checkAliasName(alias: string): void {
  if (alias === '') throw registryErrors.aliasEmpty();
  if (!/^[\p{L}\p{N}_-]+$/u.test(alias)) throw registryErrors.aliasHasBadCharacters({ alias });
  checkField('alias', alias);
}

/** Refuses aliases that already denote a version. @throws INVALID_ARGUMENT */
export function checkAliasIsFree(alias: string): void {
  const isVersion = /^v\d+$/i.test(alias);
  if (isVersion || alias.toLowerCase() === 'latest') throw registryErrors.aliasReserved({ alias, isVersion });
}

/** @throws INVALID_ARGUMENT */
export function checkTagKey(key: string): void {
  const problem = findKeyProblem(key);
  if (problem === 'characters') throw registryErrors.tagKeyHasBadCharacters({ key });
  if (problem === 'path') throw registryErrors.tagKeyIsPath({ key });
  checkField('tagKey', key);
}

/** @throws INVALID_ARGUMENT */
export function checkTag(key: string, value: string): void {
  checkTagKey(key);
  if (key === mlflowTags.promptText && value.length > limits.tagValue)
    throw registryErrors.promptTooLong({ maxCharacters: limits.tagValue });
  checkField('tagValue', value);
}

/** @throws INVALID_ARGUMENT */
export function checkField(field: keyof typeof limits, text: string): void {
  if (!text.isWellFormed()) throw registryErrors.fieldNotUnicode({ field });
  if (text.length > limits[field]) throw registryErrors.fieldTooLong({ field, maxCharacters: limits[field] });
}

/** @param text in any case. @throws INVALID_ARGUMENT for an unknown stage */
export function toStage(text: string): Stage {
  const stage = stages.find((name) => name.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw registryErrors.stageUnknown({ stage: text, stages });
}
