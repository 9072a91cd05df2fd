import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startAzurite, type RunningAzurite } from '../../../local/azurite.ts';

export interface TestAzurite extends RunningAzurite {
  readonly dataDir: string;
}

/** An empty Azurite on free ports; `stop` also removes its directory. */
export async function startTestAzurite(): Promise<TestAzurite> {
  const dataDir = await makeTempDir();
  const azurite = await startAzurite({ dataDir });
  return {
    ...azurite,
    dataDir,
    async stop() {
      await azurite.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function makeTempDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'azurite-test-'));
}

/** The same account through the blob port of a proxy. */
export function moveBlobPort(connectionString: string, port: number): string {
  return connectionString.replace(
    /BlobEndpoint=http:\/\/127\.0\.0\.1:\d+/,
    `BlobEndpoint=http://127.0.0.1:${port}`,
  );
}
