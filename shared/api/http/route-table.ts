import { defineErrors, errorKind } from '../../core/error-kinds.ts';
import type { AppError } from '../../core/errors.ts';
import { type HttpMethod, httpMethods, type Route, type RouteGroup } from './route.ts';

export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteTable {
  /**
   * A HEAD is a GET without the body of the answer.
   *
   * @param path of the URL, whole and still percent-encoded. Empty segments (doubled slashes, one at the end) count
   *   for nothing.
   * @returns for an unknown operation, a route that refuses it, so that the refusal takes the same path as any error
   */
  find(method: string, path: string): FoundRoute;
}

interface Entry {
  readonly segments: readonly Segment[];
  readonly byMethod: Partial<Record<HttpMethod, Route>>;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string };

/**
 * Finds the route of a request within its group. Paths without parameters win over those with them, and `{*rest}`
 * takes what is left, slashes included.
 *
 * @throws Error when two routes of the group share a method and a path: a mistake in the code
 */
export function createRouteTable(group: RouteGroup): RouteTable {
  const literal = new Map<string, Entry>();
  const templates = new Map<string, Entry>();
  for (const route of group.routes) {
    const entries = route.path.includes('{') ? templates : literal;
    const known = entries.get(route.path);
    if (known?.byMethod[route.method])
      throw new Error(`Two routes of ${group.name} answer ${route.method} ${route.path}.`);
    const segments = known?.segments ?? route.path.split('/').map(toSegment);
    entries.set(route.path, { segments, byMethod: { ...known?.byMethod, [route.method]: route } });
  }
  const prefixLength = group.prefix.split('/').length;
  return {
    find(method, path) {
      const given = decodeSegments(path)?.slice(prefixLength);
      if (given === undefined) return { route: refuse(group, routeErrors.pathMalformed()), params: {} };
      const asked = method === 'HEAD' ? 'GET' : method;
      const exact = literal.get(given.join('/'));
      let isKnown = exact !== undefined;
      if (exact && isMethod(asked) && exact.byMethod[asked])
        return { route: exact.byMethod[asked], params: {} };
      for (const entry of templates.values()) {
        const params = matchSegments(entry.segments, given);
        if (params === undefined) continue;
        if (isMethod(asked) && entry.byMethod[asked]) return { route: entry.byMethod[asked], params };
        isKnown = true;
      }
      const miss = isKnown ? routeErrors.methodMissing : routeErrors.routeMissing;
      return { route: refuse(group, miss({ endpoint: 'unknown' })), params: {} };
    },
  };
}

function toSegment(part: string): Segment {
  const [, star, name] = /^\{(\*?)(\w+)\}$/.exec(part) ?? [];
  if (name === undefined) return { kind: 'literal', text: part };
  return { kind: star ? 'rest' : 'one', name };
}

function isMethod(method: string): method is HttpMethod {
  return httpMethods.some((known) => known === method);
}

/** @returns undefined when the percent-encoding is broken */
function decodeSegments(path: string): readonly string[] | undefined {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function matchSegments(
  template: readonly Segment[],
  given: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: [string, string][] = [];
  for (const [index, segment] of template.entries()) {
    const value = given[index];
    if (segment.kind === 'rest') {
      params.push([segment.name, given.slice(index).join('/')]);
      return Object.fromEntries(params);
    }
    if (value === undefined) return undefined;
    if (segment.kind === 'one') params.push([segment.name, value]);
    else if (segment.text !== value) return undefined;
  }
  return given.length === template.length ? Object.fromEntries(params) : undefined;
}

interface OfEndpoint {
  readonly endpoint: 'unknown';
}

/** How a request can miss every route. */
export const routeErrors = defineErrors({
  routeMissing: errorKind<OfEndpoint>('NOT_FOUND', () => 'There is no such endpoint here.'),
  methodMissing: errorKind<OfEndpoint>(
    'METHOD_NOT_ALLOWED',
    () => 'This endpoint does not take that method.',
  ),
  pathMalformed: errorKind(
    'INVALID_ARGUMENT',
    () => 'The path is not valid: its percent-encoding is broken.',
  ),
});

function refuse(group: RouteGroup, error: AppError): Route {
  return {
    name: `${group.name}-refuse`,
    method: 'GET',
    path: '{*path}',
    summary: '',
    authLevel: group.authLevel,
    role: 'anonymous',
    protocol: group.protocol,
    returns: { status: 404, description: error.message },
    handle: () => Promise.reject(error),
  };
}
