import type { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import { errorCodes } from '../../core/errors.ts';
import { faultSchema } from '../../core/faults.ts';
import { isRecursive, type JsonSchema, toJsonSchema } from '../../core/json/json-schema.ts';
import { exampleOf } from './openapi-example.ts';
import { problemContentType } from './problem.ts';
import { defaultMaxBodyBytes, type Route, type RouteReturns } from './route.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly required: true;
    readonly content: Record<string, JsonContent>;
  };
  readonly responses: Record<string, unknown>;
  readonly 'x-role': string;
  readonly 'x-auth-level': string;
}

interface JsonContent {
  readonly schema: JsonSchema;
  readonly example: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
}

/**
 * The OpenAPI 3.1 description of the declared routes, in the order of their paths.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function describeRoutes(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  const ordered = [...routes].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const route of ordered) {
    const path = `/${route.path.replaceAll(/\{\*?([^}:?]+)[^}]*\}/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Slipway',
      version,
      description:
        'Experiment tracking, versioned datasets, pipelines, model registry and scoring in one Functions app.',
    },
    paths,
    components: { schemas: { Problem: problemSchema } },
  };
}

function describeRoute(route: Route): Operation {
  return {
    operationId: route.name,
    summary: route.summary,
    description: describeAccess(route),
    tags: [route.name.split('-')[0] ?? route.name],
    parameters: [...describeParameters('path', route.params), ...describeParameters('query', route.query)],
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': describeJson(route.body, 'input') },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        [...Map.groupBy([route.returns, ...(route.alsoReturns ?? [])], (returns) => returns.status)].map(
          ([status, group]) => [status, describeReturns(group)],
        ),
      ),
      ...describeErrors(route),
    },
    'x-role': route.role,
    'x-auth-level': route.authLevel,
  };
}

function describeAccess(route: Route): string {
  const access = route.role === 'anonymous' ? 'Open to everybody.' : `Needs the role "${route.role}".`;
  return route.body ? `${access} Body limit: ${route.maxBodyBytes ?? defaultMaxBodyBytes} bytes.` : access;
}

function describeParameters(where: 'path' | 'query', schema: z.ZodType | undefined): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = describeSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

/** One status may have several content types. */
function describeReturns(group: readonly RouteReturns[]): unknown {
  const description = group.map((returns) => returns.description).join(' ');
  const content = group.flatMap(({ schema, contentType }): [string, unknown][] => {
    if (schema) return [['application/json', describeJson(schema, 'output')]];
    return contentType ? [[contentType, { schema: describeText(contentType) }]] : [];
  });
  return content.length === 0 ? { description } : { description, content: Object.fromEntries(content) };
}

function describeText(contentType: string): JsonSchema {
  return contentType.startsWith('application/json') ? {} : { type: 'string' };
}

function describeErrors(route: Route): Record<string, unknown> {
  const codes = new Set<ErrorCode>(route.errors);
  if (route.body || route.query || route.params) codes.add('INVALID_ARGUMENT');
  if (route.body)
    codes.add('REQUEST_TIMEOUT').add('PAYLOAD_TOO_LARGE').add('RATE_LIMITED').add('UNSUPPORTED_MEDIA_TYPE');
  if (route.role !== 'anonymous') codes.add('UNAUTHENTICATED').add('PERMISSION_DENIED');
  const byStatus = Map.groupBy(codes, (code) => errorCodes[code].status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, group]) => [
        status,
        {
          description: group.join(', '),
          content: route.protocol
            ? { 'application/json': { schema: { type: 'object' } } }
            : { [problemContentType]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  );
}

function describeJson(schema: z.ZodType, io: 'input' | 'output'): JsonContent {
  const described = describeSchema(schema, io);
  return { schema: described, example: exampleOf(described) };
}

function describeSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const described = toJsonSchema(schema, io);
  if (isRecursive(described))
    throw new Error('A route schema refers to itself: describe it without recursion.');
  return described;
}

const problemSchema: JsonSchema = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'code', 'detail', 'correlationId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorCodes) },
    detail: { type: 'string' },
    correlationId: { type: 'string', description: 'Quote it: the logs hold the cause under it.' },
    faults: { type: 'array', items: toJsonSchema(faultSchema, 'output') },
  },
};
