import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contestedKeys, differences } from '../golden/mlflow-errors/differences.ts';
import { errorScript } from '../golden/mlflow-errors/script.ts';
import { type ErrorLine, sendTo, toErrorLine } from '../support/mlflow-errors.ts';
import { runScript, type Send } from '../support/mlflow-script.ts';
import { startPlatform } from '../support/platform.ts';

const golden = JSON.parse(
  readFileSync(new URL('../golden/mlflow-errors/answers.json', import.meta.url), 'utf8'),
) as readonly ErrorLine[];

test('whatever is asked wrongly is refused as mlflow 3.17.2 does, never with a 5xx, and changes nothing', async () => {
  const { url } = await startPlatform();
  const send = sendTo(url);
  let before = await lookAround(url, send);
  const changed: string[] = [];
  let index = 0;
  const results = await runScript(errorScript, async (method, path, body) => {
    const answer = await send(method, path, body);
    const { title } = errorScript[index++]!;
    if (method === 'GET') return answer;
    const after = await lookAround(url, send);
    if (answer.status !== 200 && after !== before) changed.push(title);
    before = after;
    return answer;
  });
  expect(changed).toEqual([]);
  expect(golden.map(({ title }) => title)).toEqual(errorScript.map(({ title }) => title));
  expect(new Set(golden.map(({ title }) => title)).size).toBe(golden.length);
  const unmet = new Set(differences);
  results.forEach(({ answer }, step) => {
    const ours = toErrorLine(errorScript[step]!, answer);
    const theirs = golden[step]!;
    const hint = `${ours.title}: ${JSON.stringify(answer.json).slice(0, 200)}`;
    expect.soft(ours.status, hint).toBeLessThan(500);
    if (ours.json !== undefined) {
      expect.soft(tidy(ours.json), hint).toEqual(tidy(theirs.json));
      return;
    }
    if (isAsTheirs(ours, theirs)) return;
    const difference = differences.find(
      (one) => one.titles.test(ours.title) && one.ours === [ours.status, ours.code ?? []].flat().join(' '),
    );
    if (difference === undefined) expect.soft(ours, hint).toEqual(theirs);
    else unmet.delete(difference);
  });
  expect([...unmet], 'differences that nothing asks for').toEqual([]);
}, 120_000);

/** The parameter is told by both where both tell one; a fault of the request that theirs takes for its own is a 400. */
function isAsTheirs(ours: ErrorLine, theirs: ErrorLine): boolean {
  if (theirs.status >= 500) return ours.status >= 400 && ours.status < 500;
  return (
    ours.status === theirs.status &&
    ours.code === theirs.code &&
    (theirs.stem === undefined || ours.stem === theirs.stem)
  );
}

/** Without what differs by intent: who made a version, and keys that only one of both takes. */
function tidy(json: unknown): unknown {
  if (Array.isArray(json))
    return json.filter((item) => !contestedKeys.test((item as { key?: string }).key ?? 'no key')).map(tidy);
  if (json === null || typeof json !== 'object') return json;
  const members = Object.entries(json)
    .filter(([name]) => name !== 'user_id' && !(name === 'status' && 'model_id' in json))
    .map(([name, member]) => [name, tidy(member)] as const)
    .filter(([, member]) => member !== '' && !['[]', '{}'].includes(JSON.stringify(member)));
  return Object.fromEntries(members);
}

/** Everything that can be changed, in one text. */
async function lookAround(url: string, send: Send): Promise<string> {
  const search = (what: string, body: Record<string, unknown>) => send('POST', `mlflow/${what}/search`, body);
  const experiments = await search('experiments', { max_results: 1_000, view_type: 'ALL' });
  const list = (experiments.json as { experiments: { experiment_id: string }[] }).experiments;
  const experiment_ids = list.map(({ experiment_id }) => experiment_id);
  const runs = await search('runs', { experiment_ids, max_results: 1_000, run_view_type: 'ALL' });
  const all = await Promise.all([
    search('logged-models', { experiment_ids: experiment_ids.slice(0, 50), max_results: 50 }),
    send('GET', 'mlflow/registered-models/search?max_results=1000', undefined),
    send('GET', 'mlflow/model-versions/search?max_results=1000', undefined),
    fetch(`${url}/api/v1/audit?limit=1`).then(async (answer) => ({
      status: answer.status,
      json: await answer.json(),
    })),
  ]);
  for (const { status } of [experiments, runs, ...all]) expect(status).toBe(200);
  return JSON.stringify([experiments, runs, ...all]);
}
