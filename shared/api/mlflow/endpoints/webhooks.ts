import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import type { WebhookDispatcher } from '../../../domains/webhooks/dispatcher.ts';
import { type Webhook, webhookStatuses } from '../../../domains/webhooks/entities.ts';
import { toWebhookEvent, type WebhookEventName } from '../../../domains/webhooks/events.ts';
import type { Webhooks } from '../../../domains/webhooks/webhooks.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, repeated, requiredText, text } from '../messages/message.ts';

/** Protobuf's JSON writes a value of an enumeration by name or number. */
const enumeration = (names: readonly string[]) =>
  z.preprocess(
    (value) => (typeof value === 'number' ? (names[value] ?? value) : value),
    z
      .string('Value must be the name of a value')
      .refine((name) => names.includes(name), 'There is no such value'),
  );

const entities = [
  'ENTITY_UNSPECIFIED',
  'REGISTERED_MODEL',
  'MODEL_VERSION',
  'MODEL_VERSION_TAG',
  'MODEL_VERSION_ALIAS',
  'PROMPT',
  'PROMPT_VERSION',
  'PROMPT_TAG',
  'PROMPT_VERSION_TAG',
  'PROMPT_ALIAS',
  'BUDGET_POLICY',
];
const actions = ['ACTION_UNSPECIFIED', 'CREATED', 'UPDATED', 'DELETED', 'SET', 'EXCEEDED'];

const event = z.object({
  entity: enumeration(entities).default('ENTITY_UNSPECIFIED'),
  action: enumeration(actions).default('ACTION_UNSPECIFIED'),
});
const status = enumeration(['STATUS_UNSPECIFIED', ...webhookStatuses]).pipe(z.enum(webhookStatuses));
const byId = { webhook_id: requiredText() };

/** MLflow's webhooks on events of the registry. All routes need `admin`, because addresses can be secrets. */
export function webhookEndpoints(
  webhooks: Webhooks,
  dispatcher: Pick<WebhookDispatcher, 'test'>,
): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/webhooks',
      summary: 'Creates a webhook.',
      role: 'admin',
      message: z.object({
        name: requiredText(),
        url: requiredText(),
        events: repeated(event),
        description: text().optional(),
        secret: text().optional(),
        status: status.optional(),
      }),
      handle: async (message, { principal }) => ({
        webhook: toWire(
          await webhooks.create({ ...message, events: message.events.map(toName) }, principal.name),
        ),
      }),
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/webhooks',
      summary: 'Lists the webhooks, newest first.',
      role: 'admin',
      message: z.object({ max_results: int64().default(100), page_token: text().optional() }),
      handle: async ({ max_results: limit, page_token: cursor }) => {
        if (limit < 1 || limit > 1_000)
          throw new AppError('INVALID_ARGUMENT', 'max_results must be between 1 and 1000.');
        const page = await webhooks.list(cursor ? { limit, cursor } : { limit });
        return {
          webhooks: page.items.map(toWire),
          ...(page.cursor === undefined ? {} : { next_page_token: page.cursor }),
        };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/webhooks/{webhook_id}',
      summary: 'Gets a webhook.',
      role: 'admin',
      message: z.object(byId),
      handle: async ({ webhook_id }) => ({ webhook: toWire(await webhooks.get(webhook_id)) }),
    }),
    defineEndpoint({
      methods: ['PATCH'],
      path: 'mlflow/webhooks/{webhook_id}',
      summary: 'Updates the given members of a webhook.',
      role: 'admin',
      message: z.object({
        ...byId,
        name: text().optional(),
        url: text().optional(),
        events: repeated(event).optional(),
        description: text().optional(),
        secret: text().optional(),
        status: status.optional(),
      }),
      handle: async ({ webhook_id, name, url, events, ...rest }, { principal }) => {
        // Protobuf does not distinguish an empty text or list from a missing one.
        const change = {
          ...rest,
          name: name || undefined,
          url: url || undefined,
          events: events?.length ? events.map(toName) : undefined,
        };
        return { webhook: toWire(await webhooks.update(webhook_id, change, principal.name)) };
      },
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/webhooks/{webhook_id}',
      summary: 'Deletes a webhook.',
      role: 'admin',
      message: z.object(byId),
      handle: async ({ webhook_id }, { principal }) => {
        await webhooks.delete(webhook_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/webhooks/{webhook_id}/test',
      summary: 'Sends a sample event to a webhook and returns the outcome.',
      role: 'admin',
      timeoutMs: 90_000,
      message: z.object({ ...byId, event: event.optional() }),
      handle: async ({ webhook_id, event: given }) => {
        const outcome = await dispatcher.test(webhook_id, given && toName(given));
        return {
          result:
            outcome.kind === 'answered'
              ? {
                  success: outcome.status >= 200 && outcome.status < 300,
                  response_status: outcome.status,
                  response_body: outcome.body,
                }
              : { success: false, error_message: `Failed to test webhook: ${outcome.reason}` },
        };
      },
    }),
  ].flat();
}

/** @throws INVALID_ARGUMENT for an action that the entity does not have */
function toName(given: { readonly entity: string; readonly action: string }): WebhookEventName {
  return toWebhookEvent(given.entity.toLowerCase(), given.action.toLowerCase());
}

function toWire(webhook: Webhook): JsonObject {
  return {
    webhook_id: webhook.webhookId,
    name: webhook.name,
    url: webhook.url,
    ...(webhook.description === undefined ? {} : { description: webhook.description }),
    events: webhook.events.map((name) => {
      const [entity = '', action = ''] = name.split('.');
      return { entity: entity.toUpperCase(), action: action.toUpperCase() };
    }),
    status: webhook.status,
    creation_timestamp: webhook.createdAt,
    last_updated_timestamp: webhook.updatedAt,
  };
}
