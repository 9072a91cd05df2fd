import { z } from 'zod';
import { defineList } from '../shared/api/http/read-routes.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import {
  approvalPolicySchema,
  approvalSchema,
  decisions,
  modelName,
  modelSchema,
} from '../shared/domains/registry/entities.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const byName = z.object({ model: modelName });
const byVersion = z.object({ model: modelName, version: z.coerce.number().int().min(1) });
const policySchema = approvalPolicySchema.extend({ distinctApprover: z.boolean().default(false) }).strict();

registerRoutes([
  defineRoute({
    name: 'models-approval-policy',
    method: 'PUT',
    path: 'api/v1/models/{model}/approval-policy',
    summary: 'Sets which aliases move to approved versions only; an empty list removes the policy.',
    // Approvers must not be able to abolish approvals.
    role: 'admin',
    params: byName,
    body: policySchema,
    returns: { status: 200, description: 'The model.', schema: modelSchema },
    errors: ['NOT_FOUND'],
    handle: async ({ params, body, principal }) => {
      const policy = body.aliases.length === 0 ? null : body;
      return { json: await app.registry.approvals.setPolicy(params.model, policy, principal.name) };
    },
  }),
  defineList({
    name: 'models-approvals',
    path: 'api/v1/models/{model}/versions/{version}/approvals',
    summary: 'Lists the decisions about a version, newest first: who, when and why.',
    params: byVersion,
    items: 'decisions',
    schema: approvalSchema,
    errors: ['NOT_FOUND'],
    list: ({ params }, page) => app.registry.approvals.list(params.model, params.version, page),
  }),
  defineRoute({
    name: 'models-approve',
    method: 'POST',
    path: 'api/v1/models/{model}/versions/{version}/approvals',
    summary: 'Approves or rejects a version; the newest decision counts.',
    role: 'operator',
    params: byVersion,
    body: z.strictObject({ decision: z.enum(decisions), reason: z.string().min(1).max(5_000) }),
    returns: { status: 200, description: 'The decision.', schema: approvalSchema },
    errors: ['NOT_FOUND', 'PERMISSION_DENIED'],
    handle: async ({ params, body, principal }) => ({
      json: await app.registry.approvals.decide(params.model, params.version, body, principal.name),
    }),
  }),
]);
