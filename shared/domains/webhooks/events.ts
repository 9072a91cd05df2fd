import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';

const model = { name: 'example_model' };
const prompt = { name: 'example_prompt' };
const tags = { tags: { example_key: 'example_value' } };
const tag = { key: 'example_key', value: 'example_value' };
const version = { version: '1' };
const alias = { alias: 'example_alias' };

/**
 * The events that webhooks can subscribe to, by MLflow's names (`entity.action`), with the payloads of their tests.
 *
 * @see https://mlflow.org/docs/latest/ml/webhooks (payloads)
 */
export const webhookEvents = {
  'registered_model.created': { ...model, ...tags, description: 'An example registered model' },
  'model_version.created': {
    ...model,
    ...version,
    source: 'models:/123',
    run_id: 'abcd1234abcd5678',
    ...tags,
    description: 'An example model version',
  },
  'model_version_tag.set': { ...model, ...version, ...tag },
  'model_version_tag.deleted': { ...model, ...version, key: tag.key },
  'model_version_alias.created': { ...model, ...alias, ...version },
  'model_version_alias.deleted': { ...model, ...alias },
  'prompt.created': { ...prompt, ...tags, description: 'An example prompt' },
  'prompt_version.created': {
    ...prompt,
    ...version,
    template: 'Hello {{name}}!',
    ...tags,
    description: 'An example prompt version',
  },
  'prompt_tag.set': { ...prompt, ...tag },
  'prompt_tag.deleted': { ...prompt, key: tag.key },
  'prompt_version_tag.set': { ...prompt, ...version, ...tag },
  'prompt_version_tag.deleted': { ...prompt, ...version, key: tag.key },
  'prompt_alias.created': { ...prompt, ...alias, ...version },
  'prompt_alias.deleted': { ...prompt, ...alias },
  // An event of MLflow's gateway: webhooks can subscribe to it, but it never occurs here.
  'budget_policy.exceeded': {
    budget_policy_id: 'bp-abc123',
    budget_unit: 'USD',
    budget_amount: 100,
    current_spend: 105.5,
    duration_unit: 'MONTHS',
    duration_value: 1,
    target_scope: 'ENDPOINT',
    workspace: 'default',
    target_value: 'ep-abc123',
    window_start: 1_704_067_200_000,
  },
} as const satisfies Record<string, JsonObject>;

export type WebhookEventName = keyof typeof webhookEvents;

export function isWebhookEvent(name: string): name is WebhookEventName {
  return Object.hasOwn(webhookEvents, name);
}

/** @throws INVALID_ARGUMENT for an action that the entity does not have */
export function toWebhookEvent(entity: string, action: string): WebhookEventName {
  const name = `${entity}.${action}`;
  if (isWebhookEvent(name)) return name;
  const actions = Object.keys(webhookEvents)
    .filter((known) => known.startsWith(`${entity}.`))
    .map((known) => known.slice(entity.length + 1))
    .sort();
  throw new AppError(
    'INVALID_ARGUMENT',
    `Invalid action '${action}' for entity '${entity}'. Valid actions are: ${JSON.stringify(actions)}`,
  );
}

/** Wraps a payload into the body of a delivery. */
export function toEnvelope(event: WebhookEventName, at: number, data: JsonObject): JsonObject {
  const [entity = '', action = ''] = event.split('.');
  return { entity, action, timestamp: new Date(at).toISOString().replace('Z', '+00:00'), data };
}
