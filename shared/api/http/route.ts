import { z } from 'zod';
import type { AppError, ErrorCode } from '../../core/errors.ts';
import { toJsonSchema } from '../../core/json-schema.ts';
import type { Logger } from '../../core/logger.ts';
import type { Principal, Role } from './principal.ts';

export const httpMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

/**
 * One HTTP operation, declared: from it come the registration, the checks before the handler runs, and the
 * OpenAPI document.
 */
export interface Route<Params = unknown, Query = unknown, Body = unknown> {
  /** The function's name: `datasets-list`. */
  readonly name: string;
  readonly method: HttpMethod;
  /** Without a leading slash; `{name}` and `{*rest}` are parameters. */
  readonly path: string;
  readonly summary: string;
  /** What the platform's front door asks for, before any of our code runs. */
  readonly authLevel: 'anonymous' | 'function' | 'admin';
  /** What the caller must be; `anonymous` lets everybody in. */
  readonly role: Role | 'anonymous';
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** The JSON body. */
  readonly body?: z.ZodType<Body>;
  /** A request without a body is read as `{}`. */
  readonly bodyIsOptional?: boolean;
  /** Gives `body` the text as it came, whatever its type: for protocols with rules of their own. */
  readonly bodyIsText?: boolean;
  readonly returns: RouteReturns;
  /** Other answers of the same route that are no errors of its own. */
  readonly alsoReturns?: readonly RouteReturns[];
  /** The errors worth telling in the documentation, besides those that any route can answer. */
  readonly errors?: readonly ErrorCode[];
  readonly maxBodyBytes?: number;
  /**
   * From the request to the reply. While a handler waits for `bytes` the time stands still, and begins anew with what
   * comes; streamed bodies are bounded by standing still, in both directions.
   */
  readonly timeoutMs?: number;
  /** How its errors are told; as problem documents when left out. */
  readonly protocol?: Protocol;
  readonly handle: (request: RouteRequest<Params, Query, Body>) => Promise<Reply>;
}

/** A foreign protocol that a route speaks: its clients know errors in its own shape only. */
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
 * Many routes behind one function, told apart by our own table: for protocols with dozens of operations, whose
 * clients expect an answer of the protocol even where there is no such operation.
 */
export interface RouteGroup {
  /** The function's name. */
  readonly name: string;
  /** Where they begin, without slashes at the ends: `api/2.0`. */
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
   * The body's bytes as they arrive, for routes without a `body` of their own; to be read once. Empty without one.
   * Reading throws REQUEST_TIMEOUT when they stand still and CANCELLED when they break off.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly principal: Principal;
  readonly correlationId: string;
  readonly logger: Logger;
  /** Aborts when the time limit has passed, or the caller has gone. */
  readonly signal: AbortSignal;
}

export interface Reply {
  /** The route's own status when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /**
   * Bytes, passed on at the caller's pace; say their content type among the headers, and their content-length where
   * it is known. It is closed (`return`) when the caller goes away; failing in the middle cuts the connection.
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
  return { authLevel: 'anonymous', ...route } as unknown as Route;
}

/** A body that the handler checks itself, so that it can report faults of shape and of content together. */
export function describedAs(schema: z.ZodType): z.ZodType {
  return z.unknown().meta(toJsonSchema(schema, 'input'));
}
