import { z } from 'zod';
import { docsPagePolicy, renderDocsPage } from '../shared/api/http/docs-page.ts';
import { describeRoutes } from '../shared/api/http/openapi.ts';
import { defineRoute } from '../shared/api/http/route.ts';
import { registeredRoutes, registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const dependencySchema = z.object({
  status: z.enum(['up', 'down']),
  latencyMs: z.number(),
  reason: z.string().optional(),
});

const healthSchema = z.object({
  status: z.enum(['healthy', 'unhealthy']),
  version: z.string(),
  commit: z.string(),
  dependencies: z.record(z.string(), dependencySchema),
});

const versionSchema = z.object({ version: z.string(), commit: z.string() });

const describe = () => describeRoutes(registeredRoutes, app.config.build.version);

registerRoutes([
  defineRoute({
    name: 'platform-health',
    method: 'GET',
    path: 'api/health',
    summary: 'The state of the app and of each thing it depends on.',
    role: 'anonymous',
    returns: { status: 200, description: 'Everything is up.', schema: healthSchema },
    alsoReturns: [{ status: 503, description: 'A dependency is down.', schema: healthSchema }],
    handle: async () => {
      const dependencies = await app.checkHealth();
      const healthy = Object.values(dependencies).every((dependency) => dependency.status === 'up');
      return {
        status: healthy ? 200 : 503,
        json: { status: healthy ? 'healthy' : 'unhealthy', ...app.config.build, dependencies },
      };
    },
  }),
  defineRoute({
    name: 'platform-alive',
    method: 'GET',
    path: 'health',
    summary: 'Says OK when the app answers at all; `/api/health` looks at what it depends on.',
    role: 'anonymous',
    returns: { status: 200, description: 'It answers.', contentType: 'text/plain; charset=utf-8' },
    handle: async () => ({ text: 'OK' }),
  }),
  // As MLflow's server does. Its clients read the text as a Python version (PEP 440) and, since 3.4, send spans of
  // traces to servers of 3.4 or newer: Slipway takes none, and its own version says so before anything is sent.
  defineRoute({
    name: 'platform-version',
    method: 'GET',
    path: 'version',
    summary: 'The version of this build; as JSON, its commit too.',
    role: 'anonymous',
    returns: { status: 200, description: 'The version.', contentType: 'text/plain; charset=utf-8' },
    alsoReturns: [
      { status: 200, description: 'The build, to those who accept application/json.', schema: versionSchema },
    ],
    handle: async ({ headers }) => {
      const { build } = app.config;
      const asksJson = headers.get('accept')?.includes('application/json') === true;
      return { ...(asksJson ? { json: build } : { text: build.version }), headers: { vary: 'accept' } };
    },
  }),
  defineRoute({
    name: 'platform-openapi',
    method: 'GET',
    path: 'openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    role: 'anonymous',
    returns: { status: 200, description: 'The document.', contentType: 'application/json' },
    handle: async () => ({ text: JSON.stringify(describe(), null, 2) }),
  }),
  defineRoute({
    name: 'platform-docs',
    method: 'GET',
    path: 'docs',
    summary: 'This API as a page to read.',
    role: 'anonymous',
    returns: { status: 200, description: 'The page.', contentType: 'text/html; charset=utf-8' },
    handle: async () => ({
      text: renderDocsPage(describe()),
      headers: { 'content-security-policy': docsPagePolicy },
    }),
  }),
]);
