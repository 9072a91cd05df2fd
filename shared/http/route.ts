import type { z } from 'zod';
import type { ErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { PipelineEngine } from '../pipelines/engine.ts';
import type { Principal, Role } from './principal.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

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
  readonly body?: z.ZodType<Body>;
  readonly returns: RouteReturns;
  /** Other answers of the same route that are no errors of its own. */
  readonly alsoReturns?: readonly RouteReturns[];
  /** The errors worth telling in the documentation, besides those that any route can answer. */
  readonly errors?: readonly ErrorCode[];
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
  /** Gives the handler the engine that starts and stops pipeline runs. */
  readonly startsPipelines?: boolean;
  readonly handle: (request: RouteRequest<Params, Query, Body>) => Promise<Reply>;
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
  readonly principal: Principal;
  readonly correlationId: string;
  readonly logger: Logger;
  /** Aborts when the time limit has passed. */
  readonly signal: AbortSignal;
  /** For routes that declare `startsPipelines`. @throws INTERNAL in others */
  readonly engine: () => PipelineEngine;
}

export interface Reply {
  /** The route's own status when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

export const defaultMaxBodyBytes = 2 ** 20;
export const defaultTimeoutMs = 30_000;

/** Keeps the types of one route's schemas together; a list of routes forgets them. */
export function defineRoute<Params, Query, Body>(route: Route<Params, Query, Body>): Route {
  return route as unknown as Route;
}
