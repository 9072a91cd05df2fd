import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlatformProcess } from '../../../local/platform-process.ts';
import { patienceMs } from '../hang-guard.ts';

/** The acknowledged writes of one client, in the order of its requests. */
export interface Ledger {
  readonly runId: string;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  /** `timestamp step value` of each metric. */
  readonly points: Map<string, string[]>;
  /** SHA-256 by path. */
  readonly artifacts: Map<string, string>;
  /** Versions of the client's own model, with the number of requests for each. */
  readonly versions: { readonly source: string; readonly number: string; readonly attempts: number }[];
  /** The target of the client's alias. */
  readonly moves: string[];
  retries: number;
}

type Json = Record<string, unknown>;

/** A platform that is killed and restarted meanwhile; its address changes. */
export interface Moving {
  platform: PlatformProcess;
  /** The number of successful requests so far. */
  answered: number;
}

/** Retries until there is an answer, as MLflow's client does. @throws Error when the request is refused */
export async function insist(
  moving: Moving,
  method: string,
  path: string,
  body: string | Json | undefined,
  onRetry: () => void = () => undefined,
): Promise<Json> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const answer = await ask(`${moving.platform.url}/${path}`, method, body);
    if (answer?.status === 200) {
      moving.answered += 1;
      return JSON.parse(answer.text || '{}') as Json;
    }
    if (answer && ![408, 429, 500, 502, 503, 504].includes(answer.status))
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    onRetry();
    await sleep(50);
  }
  throw new Error(`${method} ${path} was never answered`);
}

async function ask(url: string, method: string, body: string | Json | undefined) {
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(patienceMs),
      ...(body === undefined
        ? {}
        : typeof body === 'string'
          ? { body, headers: { 'content-type': 'application/octet-stream' } }
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    // Killed before or during the answer: the outcome is unknown.
    return undefined;
  }
}

/** Logs everything repeatedly until it is stopped, and records each acknowledged write. */
export async function logUntil(
  moving: Moving,
  client: number,
  random: () => number,
  isOver: () => boolean,
): Promise<Ledger> {
  const api = 'api/2.0/mlflow';
  const model = `model-${client}`;
  const alias = { name: model, alias: 'live' };
  const { run } = await insist(moving, 'POST', `${api}/runs/create`, {
    experiment_id: '0',
    start_time: client,
  });
  const { run_id: runId, artifact_uri: uri } = (run as { info: { run_id: string; artifact_uri: string } })
    .info;
  const ledger: Ledger = {
    runId,
    params: new Map(),
    tags: new Map(),
    points: new Map(),
    artifacts: new Map(),
    versions: [],
    moves: [],
    retries: 0,
  };
  let attempts = 0;
  const write = async (method: string, path: string, body: string | Json) => {
    attempts = 1;
    return insist(moving, method, path, body, () => {
      attempts += 1;
      ledger.retries += 1;
    });
  };
  const enter = (key: string, points: readonly { timestamp: number; step: number; value: number }[]) => {
    const all = ledger.points.get(key) ?? [];
    for (const { timestamp, step, value } of points) all.push(`${timestamp} ${step} ${value}`);
    ledger.points.set(key, all);
  };
  await ignoreExisting(write('POST', `${api}/registered-models/create`, { name: model }));
  for (let i = 0; !isOver(); i += 1) {
    const param = { key: `p${i}`, value: String(random()) };
    await write('POST', `${api}/runs/log-parameter`, { run_id: runId, ...param });
    ledger.params.set(param.key, param.value);
    const point = { timestamp: i, step: i, value: random() };
    await write('POST', `${api}/runs/log-metric`, { run_id: runId, key: 'single', ...point });
    enter('single', [point]);
    // Small ones stay in the run's document, large ones become separate documents.
    const count = i % 7 === 3 ? 700 : 1 + Math.floor(random() * 40);
    const batch = Array.from({ length: count }, (_, step) => ({
      key: 'batch',
      timestamp: i * 1_000 + step,
      step: i * 1_000 + step,
      value: random(),
    }));
    const both = { key: `b${i}`, value: String(i) };
    await write('POST', `${api}/runs/log-batch`, {
      run_id: runId,
      metrics: batch,
      params: [both],
      tags: [both],
    });
    enter('batch', batch);
    ledger.params.set(both.key, both.value);
    ledger.tags.set(both.key, both.value);
    await write('POST', `${api}/runs/set-tag`, { run_id: runId, key: 'last', value: String(i) });
    ledger.tags.set('last', String(i));
    const content = `${client} ${i} `.repeat(1 + Math.floor(random() * 60_000));
    const path = `a${i % 5}.txt`;
    const artifact = `${uri.replace('mlflow-artifacts:/', '')}/${path}`.replace(/^\/+/, '');
    await write('PUT', `api/2.0/mlflow-artifacts/artifacts/${artifact}`, content);
    ledger.artifacts.set(artifact, createHash('sha256').update(content).digest('hex'));
    const source = `s3://bucket/${client}/${i}`;
    const made = await write('POST', `${api}/model-versions/create`, { name: model, source, run_id: runId });
    const number = String((made['model_version'] as Json)['version']);
    ledger.versions.push({ source, number, attempts });
    await write('POST', `${api}/registered-models/alias`, { ...alias, version: number });
    ledger.moves.push(number);
  }
  return ledger;
}

async function ignoreExisting(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!String(error).includes('RESOURCE_ALREADY_EXISTS')) throw error;
  }
}
