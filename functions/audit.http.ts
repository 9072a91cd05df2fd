import { z } from 'zod';
import { subjectKinds } from '../shared/platform/audit/audit-log.ts';
import { jsonObjectSchema, jsonValueSchema } from '../shared/core/validate.ts';
import { pageQuery, pageSchema, toPageRequest } from '../shared/api/http/paging.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { productionAlias } from '../shared/domains/registry/entities.ts';
import { deliveryStatuses } from '../shared/domains/webhooks/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const name = z.string().min(1).max(1_000);

/** Milliseconds since the Unix epoch, or ISO 8601 with its offset. */
const instant = z.union([
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

const eventSchema = z.object({
  eventId: z.string(),
  at: z.number(),
  by: z.string(),
  action: z.string(),
  subject: jsonObjectSchema,
  before: jsonValueSchema,
  after: jsonValueSchema,
});

const servingSchema = z.object({ version: z.int(), since: z.number(), by: z.string() });

const timelineSchema = z.object({
  model: z.string(),
  at: z.number(),
  aliases: z.array(servingSchema.extend({ alias: z.string() })),
  stages: z.array(servingSchema.extend({ stage: z.string() })),
  endpoints: z.array(servingSchema.extend({ endpoint: z.string(), alias: z.string() })),
});

const deliverySchema = z.object({
  deliveryId: z.string(),
  webhookId: z.string(),
  event: z.string(),
  eventId: z.string(),
  status: z.enum(deliveryStatuses),
  createdAt: z.number(),
  updatedAt: z.number(),
  nextAttemptAt: z.number().optional(),
  claimedUntil: z.number().optional(),
  attempts: z.array(
    z.object({
      attempt: z.int(),
      at: z.number(),
      durationMs: z.number(),
      status: z.int().optional(),
      reason: z.string().optional(),
    }),
  ),
});

registerRoutes([
  defineRoute({
    name: 'audit-list',
    method: 'GET',
    path: 'api/v1/audit',
    summary: 'Lists events: who changed what, when, from what to what. Newest first; a page can be short.',
    authLevel: 'anonymous',
    role: 'operator',
    query: pageQuery.extend({
      kind: z.enum(subjectKinds).optional(),
      experiment: name.optional(),
      run: name.optional(),
      model: name.optional(),
      webhook: name.optional(),
      dataset: name.optional(),
      by: name.optional(),
      action: name.optional(),
      from: instant.optional(),
      to: instant.optional(),
    }),
    returns: { status: 200, description: 'A page of events.', schema: pageSchema(eventSchema) },
    handle: async ({ query }) => {
      const { experiment: experimentId, run: runId, webhook: webhookId, cursor, limit, ...rest } = query;
      const page = toPageRequest({ cursor, limit });
      return { json: await app.auditLog.list({ ...rest, experimentId, runId, webhookId }, page) };
    },
  }),
  defineRoute({
    name: 'timeline-get',
    method: 'GET',
    path: 'api/v1/timeline',
    summary: 'Gets the version of each alias, stage and endpoint of a model at a time; by default now.',
    authLevel: 'anonymous',
    role: 'reader',
    query: z.object({ model: name, at: instant.optional() }),
    returns: { status: 200, description: 'The snapshot.', schema: timelineSchema },
    handle: async ({ query }) => {
      const { model, at = app.clock.now() } = query;
      const { aliases, stages } = await app.timeline.at(model, at);
      const production = aliases.get(productionAlias);
      const endpoint = `/api/v1/models/${encodeURIComponent(model)}/score`;
      return {
        json: {
          model,
          at,
          aliases: [...aliases].map(([alias, serving]) => ({ alias, ...serving })),
          stages: [...stages].flatMap(([stage, all]) => all.map((serving) => ({ stage, ...serving }))),
          endpoints: production ? [{ endpoint, alias: productionAlias, ...production }] : [],
        },
      };
    },
  }),
  defineRoute({
    name: 'webhooks-deliveries',
    method: 'GET',
    path: 'api/v1/webhooks/{webhookId}/deliveries',
    summary:
      'Lists the deliveries of a webhook in the last month, newest first, with every attempt and its outcome.',
    authLevel: 'anonymous',
    role: 'admin',
    params: z.object({ webhookId: z.uuid() }),
    query: pageQuery,
    returns: { status: 200, description: 'A page of deliveries.', schema: pageSchema(deliverySchema) },
    handle: async ({ params, query }) => ({
      json: await app.deliveries.list(params.webhookId, toPageRequest(query)),
    }),
  }),
]);
