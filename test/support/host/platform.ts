import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import { PlatformProcess, type PlatformProcessOptions } from '../../../local/platform-process.ts';
import { patienceMs } from '../hang-guard.ts';
import { createFolder } from '../stores.ts';

/** Starts a platform that stops at the end of the test. Needs the build, which `npm test` makes first. */
export async function startPlatform(options: Partial<PlatformProcessOptions> = {}): Promise<PlatformProcess> {
  const platform = await PlatformProcess.start({
    port: 0,
    dataDir: join(createFolder(), 'data'),
    timeoutMs: patienceMs,
    ...options,
  });
  onTestFinished(() => platform.stop());
  return platform;
}

/**
 * Writes synthetic flights as Parquet. Delays grow with the hour, plus noise from a hash of the row, so that a model can
 * learn and every machine writes the same file.
 */
export async function writeFlights(file: string, options: { rows: number; seed?: number }): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (
         SELECT TIMESTAMP '2001-01-01' + INTERVAL (i * 7) MINUTE AS date,
                CAST((hash(i + $seed) % 40) AS BIGINT) - 20 + extract(hour FROM date) AS delay,
                CAST(100 + i % 2000 AS BIGINT) AS distance,
                ['ORD', 'SFO', 'JFK', 'ATL'][1 + i % 4] AS origin,
                ['LAX', 'BOS', 'DEN'][1 + i % 3] AS destination
         FROM range($rows) t(i)
       ) TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`,
      { rows: options.rows, seed: options.seed ?? 0 },
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
