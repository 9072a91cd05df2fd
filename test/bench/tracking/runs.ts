import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { auditOperation, toAuditEvent } from '../../../shared/platform/audit/event.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { openSqliteDocuments } from '../../../shared/adapters/embedded/sqlite-documents.ts';
import { metadataContainers } from '../../../shared/core/names/resources.ts';
import type { BatchOperation } from '../../../shared/platform/storage/documents.ts';
import { runKey, runPointerKey } from '../../../shared/domains/tracking/documents.ts';
import { toTailPoint } from '../../../shared/domains/tracking/metrics/points.ts';
import { createRunBody } from '../../../shared/domains/tracking/runs/draft.ts';

/** A finished run, as every server stores it. */
export interface SeededRun {
  readonly runId: string;
  readonly name: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

const letters = ['a', 'b', 'c', 'd', 'e'];

/** The same run for the same index on every machine: five metrics, params and tags each. */
function makeRun(index: number): SeededRun {
  const digest = createHash('sha256').update(`run ${index}`).digest();
  const metric = (place: number) => digest.readUIntBE(place * 6, 6) / 2 ** 48;
  const name = `run-${index}`;
  const startTime = 1_700_000_000_000 + index * 1_000;
  return {
    runId: createHash('md5').update(name).digest('hex'),
    name,
    startTime,
    endTime: startTime + 500,
    metrics: Object.fromEntries([0, 1, 2, 3, 4].map((place) => [`m${place + 1}`, metric(place)])),
    params: {
      p1: letters[digest[30]! % letters.length]!,
      p2: String(index % 10),
      p3: `m${index % 1_000}`,
      p4: String(index),
      p5: 'adam',
    },
    tags: {
      'mlflow.runName': name,
      'mlflow.user': 'user',
      'mlflow.source.name': 'train.py',
      team: `t${index % 50}`,
      note: `note ${digest.toString('hex', 20, 30)}`,
    },
  };
}

/** One run as JSON in each line. */
export async function writeRuns(file: string, count: number): Promise<void> {
  const out = createWriteStream(file);
  for (let index = 0; index < count; index += 1)
    if (!out.write(`${JSON.stringify(makeRun(index))}\n`)) await once(out, 'drain');
  out.end();
  await once(out, 'close');
}

/** Writes runs, their pointers and their creation events straight into a platform's documents. */
export async function fillDocuments(file: string, experimentId: string, count: number): Promise<void> {
  const system = { clock: systemClock, ids: systemIds };
  const store = openSqliteDocuments({ ...system }, { file });
  const runsPerBatch = 50;
  try {
    for (let from = 0; from < count; from += runsPerBatch) {
      const runs = Array.from({ length: Math.min(runsPerBatch, count - from) }, (_, at) =>
        makeRun(from + at),
      );
      const operations = runs.flatMap((run) => toOperations(run, experimentId));
      await store.batch(metadataContainers.tracking, experimentId, operations);
      for (const { runId } of runs) await store.create(runPointerKey(runId), { experimentId });
    }
  } finally {
    await store.close();
  }

  function toOperations(run: SeededRun, owner: string): readonly BatchOperation[] {
    const { runId, name, startTime, endTime } = run;
    const { draft } = createRunBody(
      {
        runId,
        experimentId: owner,
        name,
        userId: 'user',
        status: 'FINISHED',
        startTime,
        endTime,
        lifecycleStage: 'active',
        artifactUri: `mlflow-artifacts:/${owner}/${runId}/artifacts`,
        createdAt: startTime,
        lastWriteAt: endTime,
      },
      new Map(Object.entries(run.tags)),
    );
    const points = Object.entries(run.metrics).map(([key, value]) => ({
      key,
      value,
      step: 0,
      timestamp: startTime,
    }));
    for (const [key, value] of Object.entries(run.params)) draft.params.set(key, value);
    draft.addPoints(points);
    draft.tail = points.map(toTailPoint);
    const subject = { kind: 'run', experimentId: owner, runId } as const;
    const after = { name, tags: run.tags };
    const event = toAuditEvent(
      { by: 'user', action: 'run.created', subject, before: null, after, at: startTime },
      system,
    );
    return [{ kind: 'create', id: runKey(owner, runId).id, body: draft.toBody() }, auditOperation(event)];
  }
}
