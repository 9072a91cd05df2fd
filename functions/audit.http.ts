import { z } from 'zod';
import { subjectKinds } from '../shared/platform/audit/audit-log.ts';
import { jsonObjectSchema, jsonValueSchema } from '../shared/core/validate.ts';
import { pageQuery } from '../shared/api/http/paging.ts';
import { defineGet, defineList } from '../shared/api/http/read-routes.ts';
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
  attempts: z
    .array(
      z.object({
        attempt: z.int(),
        at: z.number(),
        durationMs: z.number(),
        status: z.int().optional(),
        reason: z.string().optional(),
      }),
    )
    .readonly(),
});

registerRoutes([
  defineList({
    name: 'audit-list',
    path: 'api/v1/audit',
    summary: 'Lists events: who changed what, when, from what to what. Newest first; a page can be short.',
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
    items: 'events',
    schema: eventSchema,
    list: ({ query }, page) => {
      const {
        experiment: experimentId,
        run: runId,
        webhook: webhookId,
        cursor: _,
        limit: __,
        ...rest
      } = query;
      return app.auditLog.list({ ...rest, experimentId, runId, webhookId }, page);
    },
  }),
  defineGet({
    name: 'timeline-get',
    path: 'api/v1/timeline',
    summary: 'Gets the version of each alias, stage and endpoint of a model at a time; by default now.',
    query: z.object({ model: name, at: instant.optional() }),
    description: 'The snapshot.',
    schema: timelineSchema,
    get: async ({ query }) => {
      const { model, at = app.clock.now() } = query;
      const { aliases, stages } = await app.timeline.at(model, at);
      const production = aliases.get(productionAlias);
      const endpoint = `/api/v1/models/${encodeURIComponent(model)}/score`;
      return {
        model,
        at,
        aliases: [...aliases].map(([alias, served]) => ({ alias, ...served })),
        stages: [...stages].flatMap(([stage, all]) => all.map((served) => ({ stage, ...served }))),
        endpoints: production ? [{ endpoint, alias: productionAlias, ...production }] : [],
      };
    },
  }),
  defineList({
    name: 'webhooks-deliveries',
    path: 'api/v1/webhooks/{webhookId}/deliveries',
    summary:
      'Lists the deliveries of a webhook in the last month, newest first, with every attempt and its outcome.',
    role: 'admin',
    params: z.object({ webhookId: z.uuid() }),
    items: 'deliveries',
    schema: deliverySchema,
    list: ({ params }, page) => app.deliveries.list(params.webhookId, page),
  }),
]);
