import { z } from 'zod';
import type { ArtifactEntry, ArtifactStore } from '../../../domains/artifacts/artifact-store.ts';
import { joinPath } from '../../../domains/artifacts/artifact-path.ts';
import { readArtifactUri } from '../../../domains/artifacts/artifact-uri.ts';
import type { SignedAccess } from '../../../domains/artifacts/signed-access.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import { defineRoute, type Reply, type Route, type RouteRequest } from '../../http/route.ts';
import { AppError } from '../../../core/errors.ts';
import { mlflowProtocol } from '../protocol.ts';
import { missingValue } from '../wording/parts.ts';

/** The artifact URIs of owners. Each method throws NOT_FOUND for a missing owner. */
export interface ArtifactLocations {
  run(runId: string): Promise<string>;
  loggedModel(modelId: string): Promise<string>;
  modelVersion(model: string, version: number): Promise<string>;
}

export interface ArtifactServices {
  readonly artifacts: ArtifactStore;
  readonly signedAccess: SignedAccess;
  readonly artifactLocations: ArtifactLocations;
}

type BytesRequest = RouteRequest<Readonly<Record<string, string>>, unknown, unknown>;

/** From the last byte received to the answer. */
const timeoutMs = 120_000;

/** Declares a route whose request or answer is a file instead of a message. */
export function defineFileRoute(
  route: Pick<Route, 'method' | 'path' | 'summary' | 'role'> & {
    /** The function's name, for routes outside groups. */
    readonly name?: string;
    readonly handle: (request: BytesRequest) => Promise<Reply>;
  },
): Route {
  const sendsFile = route.method === 'GET';
  return defineRoute({
    name: `mlflow ${route.method} ${route.path}`,
    ...route,
    protocol: mlflowProtocol,
    ...(route.path.includes('{') ? { params: z.record(z.string(), z.string()) } : {}),
    timeoutMs,
    returns: {
      status: 200,
      description: sendsFile ? 'The file, or the requested range of it.' : 'Done.',
      ...(sendsFile ? { contentType: 'application/octet-stream' } : {}),
    },
    handle: (request) => route.handle(request as BytesRequest),
  });
}

/** The artifact path of `path` below an owner's root. */
export async function locate(owner: Promise<string>, path: string): Promise<string> {
  return joinPath(readArtifactUri(await owner), path);
}

/** Writes the entries of a folder as MLflow's messages. */
export function fromEntries(entries: readonly ArtifactEntry[], folder: string): JsonObject[] {
  return entries.map((entry) => {
    const path = joinPath(folder, entry.name);
    return entry.kind === 'file'
      ? { path, is_dir: false, file_size: entry.sizeBytes }
      : { path, is_dir: true };
  });
}

/** The announced length of a body; undefined without one. */
export function readLength(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** @throws INVALID_ARGUMENT */
export function requireRun(runId: string | undefined): string {
  if (runId) return runId;
  throw new AppError('INVALID_ARGUMENT', missingValue('run_id'));
}
