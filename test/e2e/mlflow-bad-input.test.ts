import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contestedKeys, differences } from '../golden/mlflow-errors/differences.ts';
import { errorScript } from '../golden/mlflow-errors/script.ts';
import { type ErrorLine, sendTo, toErrorLine } from '../support/mlflow/errors.ts';
import { runScript, type Send } from '../support/mlflow/script.ts';
import { startPlatform } from '../support/host/platform.ts';

const golden = JSON.parse(
  readFileSync(new URL('../golden/mlflow-errors/answers.json', import.meta.url), 'utf8'),
) as readonly ErrorLine[];

test('refuses bad requests as mlflow 3.17.2 does, never with a 5xx, and changes nothing', async () => {
  const { url } = await startPlatform();
  const send = sendTo(url);
  // State is read before and after a row of refused requests: once per request would take most of the test's time.
  const changed: (readonly string[])[] = [];
  let before: string | undefined;
  let refused: string[] = [];
  const closeFrame = async () => {
    if (before !== undefined && (await lookAround(url, send)) !== before) changed.push(refused);
    before = undefined;
    refused = [];
  };
  let index = 0;
  const results = await runScript(errorScript, async (method, path, body) => {
    const step = index++;
    const { title } = errorScript[step]!;
    if (method === 'GET') return send(method, path, body);
    if (isToSucceed(title, golden[step]!)) await closeFrame();
    else before ??= await lookAround(url, send);
    const answer = await send(method, path, body);
    if (answer.status === 200) before = undefined;
    else refused.push(title);
    return answer;
  });
  await closeFrame();
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
});

test('lets one of several conflicting writes win, refuses the others, and tears nothing', async () => {
  const { url } = await startPlatform();
  const send = sendTo(url);
  const post = (path: string, body: Record<string, unknown>) => send('POST', `mlflow/${path}`, body);
  const race = async (path: string, body: (index: number) => Record<string, unknown>) => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => post(path, body(index))));
    const statuses = answers.map(({ status, json }) =>
      status === 200 ? '200' : `${status} ${(json as { error_code: string }).error_code}`,
    );
    return { statuses, winners: statuses.flatMap((status, index) => (status === '200' ? [index] : [])) };
  };
  const others = (status: string) => [...Array.from({ length: 11 }, () => status), '200'].sort();

  const named = await race('experiments/create', () => ({ name: 'contested' }));
  expect(named.statuses.sort()).toEqual(others('400 RESOURCE_ALREADY_EXISTS'));
  const registered = await race('registered-models/create', () => ({ name: 'contested' }));
  expect(registered.statuses.sort()).toEqual(others('400 RESOURCE_ALREADY_EXISTS'));

  const { json } = await post('runs/create', { experiment_id: '0', start_time: 1 });
  const { run_id } = (json as { run: { info: { run_id: string } } }).run.info;
  const contested = (index: number) => ({ key: 'contested', value: String(index) });
  const logged = await race('runs/log-batch', (index) => ({
    run_id,
    params: [contested(index), { key: `of ${index}`, value: '' }],
    tags: [{ key: `of ${index}`, value: '' }],
    metrics: [{ key: `of ${index}`, value: index, timestamp: 1 }],
  }));
  const [winner] = logged.winners;
  expect(logged.statuses.sort()).toEqual(others('400 INVALID_PARAMETER_VALUE'));
  const { run } = (await send('GET', `mlflow/runs/get?run_id=${run_id}`, undefined)).json as {
    run: { data: Record<'params' | 'tags' | 'metrics', { key: string; value: unknown }[]> };
  };
  const keysOf = (what: 'params' | 'tags' | 'metrics') => run.data[what].map(({ key }) => key).sort();
  expect(run.data.params).toContainEqual(contested(winner!));
  expect(keysOf('params')).toEqual(['contested', `of ${winner}`]);
  expect(keysOf('tags')).toEqual(['mlflow.runName', `of ${winner}`]);
  expect(keysOf('metrics')).toEqual([`of ${winner}`]);

  const versions = await race('model-versions/create', (index) => ({
    name: 'contested',
    source: `s3://b/${index}`,
  }));
  expect(new Set(versions.statuses)).toEqual(new Set(['200']));
  const { model_versions } = (await send('GET', 'mlflow/model-versions/search', undefined)).json as {
    model_versions: { version: string }[];
  };
  const numbers = model_versions.map(({ version }) => Number(version)).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));

  const alias = { name: 'contested', alias: 'live' };
  const moves = await race('registered-models/alias', (index) => ({ ...alias, version: String(index + 1) }));
  expect(new Set(moves.statuses)).toEqual(new Set(['200']));
  const current = await send('GET', 'mlflow/registered-models/alias?name=contested&alias=live', undefined);
  const { items } = (await (await fetch(`${url}/api/v1/audit?limit=100&action=alias.moved`)).json()) as {
    items: { before: { version: number } | null; after: { version: number } }[];
  };
  expect(items.length).toBe(12);
  // The `before` of each change is the `after` of the previous one.
  expect(items.map(({ before }) => before?.version)).toEqual([
    ...items.slice(1).map(({ after }) => after.version),
    undefined,
  ]);
  expect(current.json).toMatchObject({ model_version: { version: String(items[0]?.after.version) } });
});

/** Both name the same parameter, if both name one. Where MLflow answers a bad request with a 500, ours answers 4xx. */
function isAsTheirs(ours: ErrorLine, theirs: ErrorLine): boolean {
  if (theirs.status >= 500) return ours.status >= 400 && ours.status < 500;
  return (
    ours.status === theirs.status &&
    ours.code === theirs.code &&
    (theirs.stem === undefined || ours.stem === theirs.stem)
  );
}

/** Without intended differences: the author of a version, and keys that only one of the two accepts. */
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

/** Whether we answer 200; an unexpected 200 fails with its answer. */
function isToSucceed(title: string, theirs: ErrorLine): boolean {
  const difference = differences.find(({ titles }) => titles.test(title));
  return theirs.status === 200 ? !/^[45]/.test(difference?.ours ?? '200') : difference?.ours === '200';
}

/** All mutable state as one text. */
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
