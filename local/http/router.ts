import { AppError } from '../../shared/core/errors.ts';
import { canOverlap, parametersOf, parseRouteTemplate, type RouteSegment } from './route-template.ts';

export interface RouteDefinition<T> {
  /** Names the route in errors. */
  readonly name: string;
  /** Without the prefix. */
  readonly template: string;
  /** Upper case; undefined: every method. */
  readonly methods: readonly string[] | undefined;
  readonly target: T;
}

export interface RouteMatch<T> {
  readonly target: T;
  readonly params: Readonly<Record<string, string>>;
}

export interface Router<T> {
  /**
   * Finds the route of a request. `path` is still percent-encoded and starts with a slash.
   *
   * @returns undefined when no route has this path and method; the Functions host answers 404 to either
   * @throws URIError when a matching parameter is not valid percent-encoding
   */
  match(method: string, path: string): RouteMatch<T> | undefined;
}

interface CompiledRoute<T> {
  readonly definition: RouteDefinition<T>;
  readonly segments: readonly RouteSegment[];
}

interface RouteTable<T> {
  /** Routes without parameters, by path. */
  readonly fixed: Map<string, CompiledRoute<T>[]>;
  /** Other routes, by the path of their leading literal segments. */
  readonly open: Map<string, CompiledRoute<T>[]>;
  maxPrefixLength: number;
}

const noParams: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Compiles the routes of an app. Routes without parameters are found in a map. The others are tried one by one, among
 * those that begin with the same literal segments; the order does not matter, because no two match the same request.
 *
 * @throws AppError INVALID_ARGUMENT naming every invalid, reserved or overlapping route. The real host would choose one
 *   of two overlapping routes by the order of registration.
 */
export function createRouter<T>(prefix: string, definitions: readonly RouteDefinition<T>[]): Router<T> {
  const problems: string[] = [];
  const routes: CompiledRoute<T>[] = [];
  for (const definition of definitions) {
    try {
      const segments = parseRouteTemplate(`${prefix}/${definition.template}`);
      const [first] = segments;
      if (first?.kind === 'literal' && (first.text === 'admin' || first.text === 'runtime'))
        problems.push(`${definition.name}: routes under "${first.text}" belong to the host`);
      routes.push({ definition, segments });
    } catch (error) {
      problems.push(`${definition.name}: ${(error as Error).message}`);
    }
  }
  for (const [index, a] of routes.entries())
    for (const b of routes.slice(index + 1))
      if (shareMethod(a, b) && canOverlap(a.segments, b.segments))
        problems.push(
          `${a.definition.name} ("${a.definition.template}") and ${b.definition.name} ("${b.definition.template}") can match the same request`,
        );
  if (problems.length > 0)
    throw new AppError('INVALID_ARGUMENT', `The app's routes cannot be served: ${problems.join('; ')}.`, {
      problems,
    });

  const table: RouteTable<T> = { fixed: new Map(), open: new Map(), maxPrefixLength: 0 };
  for (const route of routes) {
    const prefix = literalPrefix(route.segments);
    const isFixed = prefix.length === route.segments.length;
    const path = toPath(prefix);
    const group = isFixed ? table.fixed : table.open;
    group.set(path, [...(group.get(path) ?? []), route]);
    if (!isFixed) table.maxPrefixLength = Math.max(table.maxPrefixLength, prefix.length);
  }
  return { match: (method, path) => matchRoute(table, method, path) };
}

/** The leading literal segments of a route. */
function literalPrefix(segments: readonly RouteSegment[]): readonly string[] {
  const texts: string[] = [];
  for (const segment of segments) {
    if (segment.kind !== 'literal') break;
    texts.push(segment.text);
  }
  return texts;
}

/** Escapes slashes inside of segments: `/a%2Fb` has one segment, `/a/b` has two. */
function toPath(parts: readonly string[]): string {
  return `/${parts.map((part) => part.replace(/[%/]/g, encodeURIComponent)).join('/')}`;
}

function matchRoute<T>(
  { fixed, open, maxPrefixLength }: RouteTable<T>,
  method: string,
  path: string,
): RouteMatch<T> | undefined {
  for (const route of fixed.get(path) ?? [])
    if (hasMethod(route, method)) return { target: route.definition.target, params: noParams };

  const parts = path.split('/').slice(1).map(decodeURIComponent);
  while (parts.length > 0 && parts.at(-1) === '') parts.pop();
  const lower = parts.map((part) => part.toLowerCase());
  for (const route of fixed.get(toPath(lower)) ?? [])
    if (hasMethod(route, method)) return { target: route.definition.target, params: noParams };
  for (let length = Math.min(lower.length, maxPrefixLength); length >= 0; length--)
    for (const route of open.get(toPath(lower.slice(0, length))) ?? []) {
      if (!hasMethod(route, method)) continue;
      const params = matchSegments(route.segments, parts);
      if (params) return { target: route.definition.target, params };
    }
  return undefined;
}

function matchSegments(
  segments: readonly RouteSegment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = segment.kind === 'rest' ? parts.slice(index).join('/') : parts[index];
    if (!part) {
      const mayBeMissing = segment.kind === 'rest' || (segment.kind === 'parameter' && segment.isOptional);
      return mayBeMissing && index >= parts.length ? params : undefined;
    }
    const values = segment.kind === 'mixed' ? segment.pattern.exec(part)?.slice(1) : [part];
    if (!values || (segment.kind === 'literal' && segment.text !== part.toLowerCase())) return undefined;
    for (const [position, parameter] of parametersOf(segment).entries()) {
      const value = values[position]!;
      if (!parameter.constraints.every((constraint) => constraint.matches(value))) return undefined;
      params[parameter.name] = value;
    }
    if (segment.kind === 'rest') return params;
  }
  return parts.length > segments.length ? undefined : params;
}

function hasMethod<T>({ definition }: CompiledRoute<T>, method: string): boolean {
  return definition.methods === undefined || definition.methods.includes(method);
}

function shareMethod<T>(a: CompiledRoute<T>, b: CompiledRoute<T>): boolean {
  return a.definition.methods?.some((method) => hasMethod(b, method)) ?? true;
}
