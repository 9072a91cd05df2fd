import { z } from 'zod';
import type { AppError, ErrorCode } from '../../core/errors.ts';
import { toJsonSchema } from '../../core/json/json-schema.ts';
import type { Logger } from '../../core/logger.ts';
import type { Principal, Role } from './principal.ts';

export const httpMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

/** One HTTP operation as data: registration, the checks before the handler, and the OpenAPI document follow from it. */
export interface Route<Params = unknown, Query = unknown, Body = unknown> {
  /** The function's name: `datasets-list`. */
  readonly name: string;
  readonly method: HttpMethod;
  /** Without a leading slash; `{name}` and `{*rest}` are parameters. */
  readonly path: string;
  readonly summary: string;
  /** What the Functions host demands before it calls us. */
  readonly authLevel: 'anonymous' | 'function' | 'admin';
  /** The role that callers need; `anonymous` admits everybody. */
  readonly role: Role | 'anonymous';
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** The JSON body. */
  readonly body?: z.ZodType<Body>;
  /** A request without a body is read as `{}`. */
  readonly bodyIsOptional?: boolean;
  /** Passes the raw text to `body`, whatever its content type: for protocols with rules of their own. */
  readonly bodyIsText?: boolean;
  readonly returns: RouteReturns;
  /** Further answers that are not errors. */
  readonly alsoReturns?: readonly RouteReturns[];
  /** Errors to document, besides those that any route can answer. */
  readonly errors?: readonly ErrorCode[];
  readonly maxBodyBytes?: number;
  /**
   * From the request to the reply. The timer pauses while a handler waits for `bytes` and restarts with each chunk;
   * streamed bodies have an idle timeout instead, in both directions.
   */
  readonly timeoutMs?: number;
  /** Error format. Default: problem documents. */
  readonly protocol?: Protocol;
  readonly handle: (request: RouteRequest<Params, Query, Body>) => Promise<Reply>;
}

/** A foreign protocol, whose clients only parse errors in its own shape. */
export interface Protocol {
  readonly name: string;
  toErrorReply(error: AppError, correlationId: string): ErrorReply;
}

export interface ErrorReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Many routes behind one function, dispatched by our own table: for protocols with dozens of operations, whose clients
 * expect an error of the protocol even for an unknown operation.
 */
export interface RouteGroup {
  /** The function's name. */
  readonly name: string;
  /** Without slashes at the ends: `api/2.0`. */
  readonly prefix: string;
  readonly authLevel: Route['authLevel'];
  readonly protocol: Protocol;
  /** Their paths are relative to the prefix. */
  readonly routes: readonly Route[];
}

export interface RouteReturns {
  readonly status: number;
  readonly description: string;
  /** The JSON answered; left out for other content types. */
  readonly schema?: z.ZodType;
  readonly contentType?: string;
}

export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly url: URL;
  readonly headers: { get(name: string): string | null };
  /**
   * The body's bytes as they arrive, for routes without a `body` schema; readable once, empty without a body. Reading
   * throws REQUEST_TIMEOUT when nothing arrives and CANCELLED when the connection breaks.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly principal: Principal;
  readonly correlationId: string;
  readonly logger: Logger;
  /** Aborts on timeout and when the caller disconnects. */
  readonly signal: AbortSignal;
}

export interface Reply {
  /** The route's own status when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /**
   * Bytes, sent at the caller's pace. Set their content type in the headers, and content-length where it is known. The
   * iterator is closed (`return`) when the caller disconnects; an error in the middle cuts the connection.
   */
  readonly stream?: AsyncIterable<Uint8Array>;
}

export const defaultMaxBodyBytes = 2 ** 20;
export const defaultTimeoutMs = 30_000;

/**
 * Declares a route with the types of its schemas, which a list of routes loses. The default `authLevel` is `anonymous`:
 * the route's role decides who may call it.
 */
export function defineRoute<Params, Query, Body>(
  route: Omit<Route<Params, Query, Body>, 'authLevel'> & Partial<Pick<Route, 'authLevel'>>,
): Route {
  return { authLevel: 'anonymous', ...route } as Route;
}

/** A body that the handler checks itself, so that it can report faults of shape and of content together. */
export function describedAs(schema: z.ZodType): z.ZodType {
  return z.unknown().meta(toJsonSchema(schema, 'input'));
}
