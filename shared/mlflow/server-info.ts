import { z } from 'zod';
import type { Route } from '../http/route.ts';
import { defineEndpoint } from './endpoint.ts';

/** What newer clients ask first, to learn what they may do. */
export function serverInfoEndpoints(): readonly Route[] {
  return defineEndpoint({
    methods: ['GET'],
    path: 'mlflow/server-info',
    summary: 'What this server can do.',
    role: 'reader',
    message: z.object({}),
    handle: async () => ({
      store_type: 'SqlStore',
      workspaces_enabled: false,
      trace_archival_enabled: false,
      multipart_uploads_enabled: true,
      multipart_downloads_enabled: true,
    }),
  });
}
