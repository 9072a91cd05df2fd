import { expect, test } from 'vitest';
import { z } from 'zod';
import { renderDocsPage } from '../../../shared/api/http/docs-page.ts';
import { describeRoutes } from '../../../shared/api/http/openapi.ts';
import { defineRoute } from '../../../shared/api/http/route.ts';

// That the whole document is valid OpenAPI 3.1 is judged by an independent validator in test/clients/openapi.
const route = defineRoute({
  name: 'things-put',
  method: 'PUT',
  path: 'api/v1/things/{thing}/{*rest}',
  summary: 'Puts a <thing> & more.',
  authLevel: 'function',
  role: 'operator',
  params: z.object({ thing: z.string(), rest: z.string() }),
  query: z.object({ limit: z.coerce.number().int().max(9).default(3) }),
  body: z.strictObject({ size: z.number().min(0) }),
  returns: { status: 201, description: 'Made.', schema: z.object({ id: z.string() }) },
  errors: ['ALREADY_EXISTS'],
  handle: async () => ({ json: {} }),
});

test('describes a route from its declaration', () => {
  const { paths } = describeRoutes([route], '1.2.3');
  const operation = paths['/api/v1/things/{thing}/{rest}']?.['put'];
  expect(operation).toMatchObject({
    operationId: 'things-put',
    'x-role': 'operator',
    'x-auth-level': 'function',
    parameters: [
      { name: 'thing', in: 'path', required: true },
      { name: 'rest', in: 'path', required: true },
      { name: 'limit', in: 'query', required: false, schema: { maximum: 9, default: 3 } },
    ],
    requestBody: {
      content: { 'application/json': { schema: { required: ['size'], additionalProperties: false } } },
    },
  });
  expect(Object.keys(operation?.responses ?? {})).toEqual([
    '201',
    '400',
    '401',
    '403',
    '408',
    '409',
    '413',
    '415',
    '429',
  ]);
});

test('refuses a recursive schema, whose references would dangle', () => {
  const recursive = { ...route, body: z.json() };
  expect(() => describeRoutes([recursive], '1.2.3')).toThrow(/refers to itself/);
});

test('escapes all content and loads nothing external in the page', () => {
  const page = renderDocsPage(describeRoutes([route], '1.2.3'));
  expect(page).toContain('Puts a &lt;thing&gt; &amp; more.');
  expect(page).not.toMatch(/<script|src=|https?:\/\//);
});
