import type { JsonObject } from '../../../shared/core/json/json.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';

/** Mulberry32: the same numbers on every machine. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Writes runs straight into the tracking store: 5 metrics, 5 params, 5 tags each. `a` and `b` are anticorrelated, so
 * that hardly a run has both above a half; every thousandth run has `rare`.
 */
export async function fillWithRuns(
  store: MetadataStore,
  container: string,
  partition: string,
  count: number,
): Promise<void> {
  const random = makeRandom(42);
  for (let from = 0; from < count; from += 100)
    await store.batch(
      container,
      partition,
      Array.from({ length: Math.min(100, count - from) }, (_, index) => {
        const body = makeRun(partition, from + index, random);
        return { kind: 'create', id: `run-${from + index}`, body };
      }),
    );
}

function makeRun(experimentId: string, index: number, random: () => number): JsonObject {
  const runId = Math.floor(random() * 2 ** 52)
    .toString(16)
    .padStart(32, '0');
  const startTime = 1_700_000_000_000 + Math.floor(index / 2) * 1_000;
  const a = random();
  return {
    kind: 'run',
    run: {
      runId,
      experimentId,
      name: `run-${index}`,
      userId: 'user',
      status: 'FINISHED',
      startTime,
      endTime: startTime + 500,
      lifecycleStage: 'active',
      artifactUri: `mlflow-artifacts:/${experimentId}/${runId}/artifacts`,
      createdAt: startTime,
      lastWriteAt: startTime,
    },
    params: {
      lr: String([0.1, 0.01, 0.001][index % 3]),
      depth: String(index % 10),
      model: `m${index % 1_000}`,
      seed: String(index),
      optimizer: 'adam',
    },
    tags: {
      'mlflow.runName': `run-${index}`,
      'mlflow.user': 'user',
      'mlflow.source.name': 'train.py',
      team: `t${index % 50}`,
      note: `note ${random().toString(36)}`,
    },
    metrics: {
      a,
      b: 1 - a + (random() - 0.5) / 100,
      c: random(),
      d: Math.floor(random() * 10),
      ...(index % 1_000 === 0 ? { rare: random() } : { e: random() }),
    },
    nan: {},
    datasets: { name: { [`ds${index % 20}`]: true }, digest: { [`x${index % 20}`]: true }, context: {} },
    points: { latest: { a: [startTime, 1] }, tail: { a: { t: [startTime], s: [1], v: [a] } } },
  };
}
