import { z } from 'zod';
import type { Route } from '../../http/route.ts';
import type { ArtifactServices } from '../artifacts/routes.ts';
import { defineEndpoint } from '../endpoint.ts';

/** The features of the server, which newer clients request first. */
export function serverInfoEndpoints({ signedAccess }: ArtifactServices): readonly Route[] {
  return defineEndpoint({
    methods: ['GET'],
    path: 'mlflow/server-info',
    summary: 'Gets the features of the server.',
    role: 'reader',
    message: z.object({}),
    handle: async () => ({
      store_type: 'SqlStore',
      workspaces_enabled: false,
      trace_archival_enabled: false,
      multipart_uploads_enabled: signedAccess.isEnabled,
      multipart_downloads_enabled: signedAccess.isEnabled,
    }),
  });
}
