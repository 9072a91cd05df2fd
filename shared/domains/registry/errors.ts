import { defineErrors, errorKind } from '../../core/error-kinds.ts';
import type { Stage } from './stage-names.ts';

/** A registered name belongs to a model, or to a prompt: a model whose versions are texts. */
export type NameOwner = 'model' | 'prompt';

const fields = {
  name: 'The model name',
  alias: 'The alias',
  tagKey: 'The tag key',
  tagValue: 'The tag value',
  description: 'The description',
  source: 'The source',
} as const;

interface OfVersion {
  readonly model: string;
  readonly version: number;
}

const invalid = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('INVALID_ARGUMENT', describe);
const missing = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('NOT_FOUND', describe);
const denied = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('PERMISSION_DENIED', describe);

/** How the operations on models, versions, aliases and stages can fail. */
export const registryErrors = defineErrors({
  modelMissing: missing(({ model }: { readonly model: string }) => `There is no model "${model}".`),
  versionMissing: missing(
    ({ model, version }: OfVersion) => `The model "${model}" has no version ${version}.`,
  ),
  aliasMissing: missing(
    ({ model, alias }: { readonly model: string; readonly alias: string }) =>
      `The model "${model}" has no alias "${alias}".`,
  ),
  stageEmpty: missing(
    ({ model }: { readonly model: string }) => `The model "${model}" has no version in such a stage.`,
  ),
  sourceRunMissing: missing(({ runId }: { readonly runId: string }) => `There is no run "${runId}".`),
  nameTaken: errorKind(
    'ALREADY_EXISTS',
    ({ name, owner }: { readonly name: string; readonly owner: NameOwner; readonly wanted: NameOwner }) =>
      `A ${owner} named "${name}" already exists.`,
  ),
  keyReused: errorKind(
    'ALREADY_EXISTS',
    ({ model, version, key }: OfVersion & { readonly key: string }) =>
      `"${key}" has registered another file already, as version ${version} of "${model}". Register this file under a key of its own.`,
  ),

  nameEmpty: invalid<{ readonly isNew: boolean }>(() => 'The model name is empty.'),
  nameHasSeparator: invalid(
    ({ name }: { readonly name: string }) => `The model name "${name}" contains "/" or ":".`,
  ),
  nameIsPath: invalid(
    ({ name }: { readonly name: string }) =>
      `The model name "${name}" is a relative path: it must not begin with "..".`,
  ),
  nameHasControls: invalid(
    ({ name }: { readonly name: string }) =>
      `The model name ${JSON.stringify(name)} contains control characters.`,
  ),
  aliasEmpty: invalid(() => 'The alias is empty.'),
  aliasHasBadCharacters: invalid(
    ({ alias }: { readonly alias: string }) =>
      `The alias "${alias}" is invalid: use letters, digits, "_" and "-".`,
  ),
  aliasReserved: invalid(
    ({ alias }: { readonly alias: string; readonly isVersion: boolean }) =>
      `The alias "${alias}" is reserved: it already denotes a version.`,
  ),
  tooManyAliases: invalid(
    ({ limit }: { readonly limit: number }) => `A model has at most ${limit} aliases: delete one first.`,
  ),
  tagKeyHasBadCharacters: invalid(
    ({ key }: { readonly key: string }) =>
      `The tag key "${key}" is invalid: use letters, digits, "_", "-", ".", " ", ":" and "/".`,
  ),
  tagKeyIsPath: invalid(
    ({ key }: { readonly key: string }) =>
      `The tag key "${key}" is invalid: as a path it must not contain empty, "." or ".." segments.`,
  ),
  promptTooLong: invalid(
    ({ maxCharacters }: { readonly maxCharacters: number }) =>
      `The prompt has more than ${maxCharacters} characters.`,
  ),
  fieldTooLong: invalid(
    ({ field, maxCharacters }: { readonly field: keyof typeof fields; readonly maxCharacters: number }) =>
      `${fields[field]} has more than ${maxCharacters} characters.`,
  ),
  fieldNotUnicode: invalid(
    ({ field }: { readonly field: keyof typeof fields }) =>
      `${fields[field]} contains a lone surrogate: send valid Unicode.`,
  ),
  stageUnknown: invalid(
    ({ stage, stages }: { readonly stage: string; readonly stages: readonly Stage[] }) =>
      `Unknown stage "${stage}": use one of ${stages.join(', ')}.`,
  ),
  stageNotArchivable: invalid(
    ({ stage }: { readonly stage: string }) =>
      `Cannot archive the other versions in "${stage}": only Staging and Production allow that.`,
  ),

  sourceIsLocal: invalid(
    ({ source }: { readonly source: string }) =>
      `The source "${source}" is a local path: log the files as artifacts and name those.`,
  ),
  sourceHasHost: invalid(
    ({ source }: { readonly source: string }) =>
      `The source "${source}" is on another machine: log the files as artifacts and name those.`,
  ),
  sourceIsRelative: invalid(
    ({ source }: { readonly source: string }) =>
      `The source "${source}" is not an absolute path without "." or "..".`,
  ),
  modelUriInvalid: invalid(
    ({ source }: { readonly source: string }) =>
      `The source "${source}" is no models:/ URI: use models:/<name>/<version>, models:/<name>@<alias> or models:/<logged model>.`,
  ),
  sourceNotOfModel: invalid(
    ({ source }: { readonly source: string }) =>
      `The source "${source}" does not belong to the logged model, or there is no such model.`,
  ),
  sourceIsPrompt: invalid(
    ({ source }: { readonly source: string }) => `The source "${source}" is a prompt: it has no model files.`,
  ),

  selfApproval: denied(
    ({ model, version, by }: OfVersion & { readonly by: string }) =>
      `${by} registered version ${version} of "${model}" and cannot approve it: ask another operator.`,
  ),
  /** `awaiting` tells a pipeline to wait for a person instead of failing. */
  approvalNeeded: denied(
    ({
      model,
      version,
      alias,
      why,
    }: OfVersion & {
      readonly alias: string;
      readonly why: string;
      readonly awaiting: 'approval';
    }) =>
      `"${alias}" of "${model}" moves to approved versions only, and version ${version} ${why}. An operator can approve it: POST api/v1/models/${encodeURIComponent(model)}/versions/${version}/approvals {"decision":"approve","reason":"…"}.`,
  ),
});
