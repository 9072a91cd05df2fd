import type { AuditEvent, AuditSubject } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import { mlflowTags } from '../../core/names/mlflow-names.ts';
import type { WebhookEventName } from './events.ts';

/** The tags that MLflow marks prompts with; payloads omit them. */
const { isPrompt: isPromptTag, promptText: promptTextTag, promptType: promptTypeTag } = mlflowTags;

/** MLflow's events of each action: one for models, one for prompts. */
const candidates: Readonly<
  Record<string, { readonly model?: WebhookEventName; readonly prompt: WebhookEventName }>
> = {
  [registryActions.modelCreated]: { model: 'registered_model.created', prompt: 'prompt.created' },
  [registryActions.modelTagSet]: { prompt: 'prompt_tag.set' },
  [registryActions.modelTagDeleted]: { prompt: 'prompt_tag.deleted' },
  [registryActions.versionCreated]: { model: 'model_version.created', prompt: 'prompt_version.created' },
  [registryActions.versionTagSet]: { model: 'model_version_tag.set', prompt: 'prompt_version_tag.set' },
  [registryActions.versionTagDeleted]: {
    model: 'model_version_tag.deleted',
    prompt: 'prompt_version_tag.deleted',
  },
  [registryActions.aliasMoved]: { model: 'model_version_alias.created', prompt: 'prompt_alias.created' },
  [registryActions.aliasDeleted]: { model: 'model_version_alias.deleted', prompt: 'prompt_alias.deleted' },
};

/** The events that webhooks can subscribe to for an action; empty for most actions. */
export function findCandidates(action: string): readonly WebhookEventName[] {
  const found = Object.hasOwn(candidates, action) ? candidates[action] : undefined;
  if (found === undefined) return [];
  return found.model === undefined ? [found.prompt] : [found.model, found.prompt];
}

/** Whether an event is about a prompt, which is a model with a tag. @returns undefined when the event has no tags */
export function readIsPrompt(event: AuditEvent): boolean | undefined {
  if (event.action !== registryActions.modelCreated && event.action !== registryActions.versionCreated)
    return undefined;
  return readTags(event.after).get(isPromptTag)?.toLowerCase() === 'true';
}

/** MLflow's name of an event; undefined when webhooks cannot subscribe to it. */
export function nameEvent(action: string, isPrompt: boolean): WebhookEventName | undefined {
  const found = Object.hasOwn(candidates, action) ? candidates[action] : undefined;
  return isPrompt ? found?.prompt : found?.model;
}

/** The payload that MLflow documents for an event. @see https://mlflow.org/docs/latest/ml/webhooks */
export function toPayload(event: AuditEvent, name: WebhookEventName): JsonObject {
  const { subject, after } = event;
  const about = readSubject(subject);
  switch (name) {
    case 'registered_model.created':
      return { ...about, tags: plain(readTags(after)), description: readText(after, 'description') ?? '' };
    case 'prompt.created':
      return {
        ...about,
        tags: plain(withoutPromptTags(readTags(after))),
        description: readText(after, 'description') ?? '',
      };
    case 'model_version.created':
      return {
        ...about,
        source: readText(after, 'source') ?? '',
        run_id: readText(after, 'runId') || null,
        tags: plain(readTags(after)),
        description: readText(after, 'description') || null,
      };
    case 'prompt_version.created': {
      const all = readTags(after);
      return {
        ...about,
        template: all.get(promptTextTag) ?? null,
        tags: plain(withoutPromptTags(all)),
        description: readText(after, 'description') || null,
      };
    }
    case 'model_version_tag.set':
    case 'prompt_tag.set':
    case 'prompt_version_tag.set': {
      const [[key, value] = ['', '']] = readTags(after);
      return { ...about, key, value };
    }
    case 'model_version_tag.deleted':
    case 'prompt_tag.deleted':
    case 'prompt_version_tag.deleted': {
      const [key = ''] = readTags(event.before).keys();
      return { ...about, key };
    }
    case 'model_version_alias.created':
    case 'prompt_alias.created': {
      const version = member(after, 'version');
      return { ...about, version: typeof version === 'number' ? String(version) : (version ?? null) };
    }
    case 'model_version_alias.deleted':
    case 'prompt_alias.deleted':
    case 'budget_policy.exceeded':
      return about;
  }
}

function readSubject(subject: AuditSubject): JsonObject {
  switch (subject.kind) {
    case 'model':
      return { name: subject.model };
    case 'modelVersion':
      return { name: subject.model, version: String(subject.version) };
    case 'alias':
      return { name: subject.model, alias: subject.alias };
    case 'experiment':
    case 'run':
    case 'loggedModel':
    case 'webhook':
    case 'dataset':
      return {};
  }
}

/** Skips tags whose value is null: they do not exist. */
function readTags(value: JsonValue): ReadonlyMap<string, string> {
  const given = member(value, 'tags');
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return new Map();
  return new Map(
    Object.entries(given as JsonObject).flatMap(([key, text]) =>
      typeof text === 'string' ? [[key, text]] : [],
    ),
  );
}

function withoutPromptTags(all: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const hidden: readonly string[] = [isPromptTag, promptTextTag, promptTypeTag];
  return new Map([...all].filter(([key]) => !hidden.includes(key)));
}

const plain = (all: ReadonlyMap<string, string>): JsonObject => Object.fromEntries(all);

function readText(value: JsonValue, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}

function member(value: JsonValue, name: string): JsonValue {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  return Object.hasOwn(value, name) ? ((value as JsonObject)[name] ?? null) : null;
}
