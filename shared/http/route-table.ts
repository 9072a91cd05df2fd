import { AppError } from '../core/errors.ts';
import { type HttpMethod, httpMethods, type Route, type RouteGroup } from './route.ts';

export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteTable {
  /**
   * @param path still percent-encoded, relative to the group's prefix
   * @returns a route that only refuses when there is no such operation, so that the refusal is told like any other
   */
  find(method: string, path: string): FoundRoute;
}

interface Entry {
  readonly segments: readonly string[];
  readonly byMethod: Partial<Record<HttpMethod, Route>>;
}

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
    const segments = known?.segments ?? route.path.split('/');
    entries.set(route.path, { segments, byMethod: { ...known?.byMethod, [route.method]: route } });
  }
  return {
    find(method, path) {
      const exact = literal.get(path);
      if (exact) return { route: pick(group, exact, method), params: {} };
      const segments = path.split('/');
      let other: Entry | undefined;
      for (const entry of templates.values()) {
        const params = matchSegments(entry.segments, segments);
        if (params === undefined) continue;
        if (isMethod(method) && entry.byMethod[method]) return decode(group, entry.byMethod[method], params);
        other ??= entry;
      }
      return { route: other ? pick(group, other, method) : refuse(group, 'NOT_FOUND'), params: {} };
    },
  };
}

function isMethod(method: string): method is HttpMethod {
  return httpMethods.some((known) => known === method);
}

function pick(group: RouteGroup, entry: Entry, method: string): Route {
  return (isMethod(method) && entry.byMethod[method]) || refuse(group, 'METHOD_NOT_ALLOWED');
}

function matchSegments(
  template: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const name = /^\{(\*?)(\w+)\}$/.exec(part);
    if (name?.[1]) {
      params[name[2]!] = segments.slice(index).join('/');
      return params;
    }
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (name) params[name[2]!] = segment;
    else if (part !== segment) return undefined;
  }
  return segments.length === template.length ? params : undefined;
}

function decode(group: RouteGroup, route: Route, params: Record<string, string>): FoundRoute {
  try {
    const decoded = Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { route, params: Object.fromEntries(decoded) as Record<string, string> };
  } catch {
    return { route: refuse(group, 'INVALID_ARGUMENT'), params: {} };
  }
}

const refusals = {
  NOT_FOUND: 'There is no such endpoint here.',
  METHOD_NOT_ALLOWED: 'This endpoint does not take that method.',
  INVALID_ARGUMENT: 'The path is not valid: its percent-encoding is broken.',
} as const;

function refuse(group: RouteGroup, code: keyof typeof refusals): Route {
  return {
    name: `${group.name}-refuse`,
    method: 'GET',
    path: '{*path}',
    summary: '',
    authLevel: group.authLevel,
    role: 'anonymous',
    protocol: group.protocol,
    returns: { status: 404, description: refusals[code] },
    handle: () =>
      Promise.reject(
        new AppError(code, refusals[code], code === 'INVALID_ARGUMENT' ? {} : { endpoint: 'unknown' }),
      ),
  };
}
