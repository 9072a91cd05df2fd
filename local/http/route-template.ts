import { AppError } from '../../shared/core/errors.ts';
import { areDisjoint, parseConstraint, type RouteConstraint } from './route-constraints.ts';

/** One segment of a route: fixed text, a parameter, a mix (`v{major}.{minor}`), or the rest of the path. */
export type RouteSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | RouteParameter
  | { readonly kind: 'mixed'; readonly pattern: RegExp; readonly parameters: readonly RouteParameter[] };

export interface RouteParameter {
  readonly kind: 'parameter' | 'rest';
  readonly name: string;
  readonly isOptional: boolean;
  readonly constraints: readonly RouteConstraint[];
}

/**
 * Parses a Functions route template (`models/{name}/versions/{version:int}`, `files/{*path}`, `{page?}`).
 *
 * @throws AppError INVALID_ARGUMENT with the reason
 */
export function parseRouteTemplate(template: string): readonly RouteSegment[] {
  const fail = (reason: string): never => {
    throw new AppError('INVALID_ARGUMENT', `Route "${template}": ${reason}.`, { template });
  };
  const trimmed = template.replace(/^\/+|\/+$/g, '');
  const parts = trimmed === '' ? [] : splitSegments(trimmed);
  const segments = parts.map((part) => parseSegment(part, fail));
  const names = segments.flatMap(parametersOf).map(({ name }) => name.toLowerCase());
  for (const name of names)
    if (names.indexOf(name) !== names.lastIndexOf(name)) fail(`{${name}} is repeated`);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment.kind === 'rest' && !isLast) fail('{*…} can only be the last segment');
    if (segment.kind === 'parameter' && segment.isOptional && !isLast)
      fail(`{${segment.name}?} can only be the last segment`);
  }
  return segments;
}

export function parametersOf(segment: RouteSegment): readonly RouteParameter[] {
  if (segment.kind === 'literal') return [];
  return segment.kind === 'mixed' ? segment.parameters : [segment];
}

/** Splits at slashes outside of braces, as a regex constraint may contain one. */
function splitSegments(template: string): readonly string[] {
  return template.match(/(?:\{(?:[^{}]|\{[^{}]*\})*\}|[^/])+/g) ?? [];
}

function parseSegment(part: string, fail: (reason: string) => never): RouteSegment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: decodeURIComponent(part).toLowerCase() };
  const pieces = part.match(/\{(?:[^{}]|\{[^{}]*\})*\}|[^{}]+|[{}]/g) ?? [];
  if (pieces.some((piece) => piece === '{' || piece === '}')) fail('braces do not match');
  const parsed = pieces.map((piece) => (piece.startsWith('{') ? parseParameter(piece, fail) : piece));
  const [only] = parsed;
  if (parsed.length === 1 && only !== undefined && typeof only !== 'string') return only;
  const parameters = parsed.filter((piece) => typeof piece !== 'string');
  if (parameters.some(({ kind, isOptional }) => kind === 'rest' || isOptional))
    fail(`"${part}" mixes text with an optional or catch-all parameter`);
  const source = parsed.map((piece) => (typeof piece === 'string' ? RegExp.escape(piece) : '(.+)')).join('');
  return { kind: 'mixed', pattern: new RegExp(`^${source}$`, 'i'), parameters };
}

function parseParameter(piece: string, fail: (reason: string) => never): RouteParameter {
  const match = /^\{(\*{0,2})([a-z_][\w-]*)((?::(?:[^:()?=]|\([^)]*\)+)+)*)(\?)?\}$/i.exec(piece);
  if (!match) return fail(`${piece} is not a parameter that the local host supports`);
  const [, stars, name, constraintText, optional] = match;
  const texts = constraintText!.match(/:(?:[^:()]|\([^)]*\)+)+/g) ?? [];
  const constraints = texts.map(
    (text) => parseConstraint(text.slice(1)) ?? fail(`unknown constraint "${text.slice(1)}" in ${piece}`),
  );
  return { kind: stars ? 'rest' : 'parameter', name: name!, isOptional: optional !== undefined, constraints };
}

/** Whether both templates may match the same path. May answer yes where none does. */
export function canOverlap(a: readonly RouteSegment[], b: readonly RouteSegment[]): boolean {
  const [headA, ...restA] = a;
  const [headB, ...restB] = b;
  if (!headA || !headB) return (!headA || canBeEmpty(headA)) && (!headB || canBeEmpty(headB));
  if (headA.kind === 'rest') return acceptsRest(headA, b) || canOverlap([], b);
  if (headB.kind === 'rest') return acceptsRest(headB, a) || canOverlap(a, []);
  if (canBeEmpty(headA) && canBeEmpty(headB)) return true;
  return canMatchSame(headA, headB) && canOverlap(restA, restB);
}

function canBeEmpty(segment: RouteSegment): boolean {
  return segment.kind === 'rest' || (segment.kind === 'parameter' && segment.isOptional);
}

/** A catch-all's constraints apply to the whole remaining path; only fixed paths can be excluded. */
function acceptsRest(rest: RouteParameter, path: readonly RouteSegment[]): boolean {
  if (path.some(({ kind }) => kind !== 'literal')) return true;
  const text = path.map((segment) => (segment.kind === 'literal' ? segment.text : '')).join('/');
  return rest.constraints.every((constraint) => constraint.matches(text));
}

function canMatchSame(a: RouteSegment, b: RouteSegment): boolean {
  if (a.kind === 'literal') return b.kind === 'literal' ? a.text === b.text : acceptsText(b, a.text);
  if (b.kind === 'literal') return acceptsText(a, b.text);
  if (a.kind === 'mixed' || b.kind === 'mixed') return true;
  return !areDisjoint(a.constraints, b.constraints);
}

function acceptsText(segment: RouteSegment, text: string): boolean {
  if (segment.kind === 'literal') return segment.text === text.toLowerCase();
  if (segment.kind === 'mixed') return segment.pattern.test(text);
  return segment.constraints.every((constraint) => constraint.matches(text));
}
