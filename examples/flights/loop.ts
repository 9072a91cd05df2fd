import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlatformProcess } from '../../local/platform-process.ts';

export const dataset = 'flights';
export const pipeline = 'late-flights';
export const model = 'late-flights';

export interface RunView {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly createdAt: number;
  readonly endedAt?: number;
  readonly steps: readonly StepView[];
  readonly error?: { readonly step: string; readonly message: string };
}

export interface StepView {
  readonly step: string;
  readonly status: string;
  readonly attempt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly progress?: { readonly fraction: number; readonly message: string };
}

export interface ModelVersion {
  readonly version: number;
  readonly sha256: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly lineage: { readonly runId: string; readonly trackingRunId: string };
}

export interface Score {
  readonly version: number;
  readonly predictions: readonly { readonly probability: number; readonly label: boolean }[];
  readonly latencyMs: number;
}

/** The row that the demo scores: Friday the 13th, 18:30, O'Hare to San Francisco. */
export const question = {
  date: '2001-07-13T18:30:00Z',
  distance: 1846,
  origin: 'ORD',
  destination: 'SFO',
};

/** Declares the pipeline that trains whenever the dataset has a new version. */
export async function declarePipeline(platform: PlatformProcess): Promise<void> {
  const body: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'pipeline.json'), 'utf8'));
  await platform.call('PUT', `api/v1/pipelines/${pipeline}`, body);
}

/** Waits for the newest run of a pipeline to end and reports each change. */
export async function followRun(
  platform: PlatformProcess,
  name: string,
  options: { readonly timeoutMs: number; readonly onChange?: (run: RunView) => void },
): Promise<RunView> {
  const deadline = Date.now() + options.timeoutMs;
  let seen = '';
  while (Date.now() < deadline) {
    const { items } = await platform.call<{ items: { runId: string }[] }>(
      'GET',
      `api/v1/runs?pipeline=${name}&limit=1`,
    );
    const runId = items[0]?.runId;
    if (runId !== undefined) {
      const run = await platform.call<RunView>('GET', `api/v1/runs/${runId}`);
      const text = JSON.stringify(run);
      if (text !== seen) options.onChange?.(run);
      seen = text;
      if (run.endedAt !== undefined) return run;
    }
    await sleep(100);
  }
  throw new Error(`The pipeline "${name}" did not end within ${options.timeoutMs} ms.`);
}

export async function newestModel(platform: PlatformProcess): Promise<ModelVersion> {
  const { items } = await platform.call<{ items: ModelVersion[] }>(
    'GET',
    `api/v1/models/${model}/versions?limit=1`,
  );
  if (items[0] === undefined) throw new Error(`The model "${model}" has no version.`);
  return items[0];
}

export async function ask(platform: PlatformProcess): Promise<Score> {
  return platform.call<Score>('POST', `api/v1/models/${model}/score`, { rows: [question] });
}
