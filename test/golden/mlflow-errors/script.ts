import type { ScriptStep } from '../../support/mlflow/script.ts';
import { hostileKeys, hostileNames, large, strangeBodies, strangeNumbers, strangeTokens } from './hostile.ts';

/** A step identified by its title, because bodies are too long for one. */
export interface ErrorStep extends ScriptStep {
  readonly title: string;
}

/** The member whose value is sent unchanged as the body, whether it is JSON or not. */
export const rawBody = '#raw';

type Body = Record<string, unknown>;

const send =
  (method: ScriptStep['method']) =>
  (title: string, path: string, body: Body, keep?: Record<string, string>): ErrorStep => ({
    title: `${path.replaceAll(/\$\w+/g, '*')}: ${title}`,
    method,
    path: `mlflow/${path}`,
    body,
    ...(keep ? { keep } : {}),
  });
const post = send('POST');
const patch = send('PATCH');
const remove = send('DELETE');
const get = (title: string, path: string, query: Record<string, string> = {}): ErrorStep => ({
  title: `${path.replaceAll(/\$\w+/g, '*')}: ${title}`,
  method: 'GET',
  path: `mlflow/${path}`,
  query,
});
const each = <T>(of: Readonly<Record<string, T>>, step: (title: string, value: T) => ErrorStep) =>
  Object.entries(of).map(([title, value]) => step(title, value));
const many = (count: number, item: (index: number) => unknown) =>
  Array.from({ length: count }, (_, index) => item(index));
const metric = (index: number) => ({ key: 'batch', value: index, timestamp: index, step: index });

const setup: readonly ErrorStep[] = [
  post('setup', 'experiments/create', { name: 'one' }, { one: 'experiment_id' }),
  post('setup, to be deleted', 'experiments/create', { name: 'gone' }, { gone: 'experiment_id' }),
  post(
    'setup, in the other',
    'runs/create',
    { experiment_id: '$gone', run_name: 'g', start_time: 1 },
    { goneRun: 'run.info.run_id' },
  ),
  post('setup', 'experiments/delete', { experiment_id: '$gone' }),
  post(
    'setup',
    'runs/create',
    { experiment_id: '$one', run_name: 'r', start_time: 1 },
    { run: 'run.info.run_id' },
  ),
  post(
    'setup, to be deleted',
    'runs/create',
    { experiment_id: '$one', run_name: 'd', start_time: 2 },
    { dead: 'run.info.run_id' },
  ),
  post('setup', 'runs/log-batch', {
    run_id: '$run',
    metrics: [{ key: 'm', value: 1, timestamp: 1, step: 1 }],
    params: [{ key: 'p', value: '1' }],
    tags: [{ key: 't', value: '1' }],
  }),
  post('setup', 'runs/delete', { run_id: '$dead' }),
  post(
    'setup',
    'logged-models',
    { experiment_id: '$one', name: 'logged' },
    { logged: 'model.info.model_id' },
  ),
  post('setup', 'registered-models/create', { name: 'reg' }),
  post('setup, another', 'registered-models/create', { name: 'other' }),
  ...['1', '2', '3'].map((n) =>
    post(`setup ${n}`, 'model-versions/create', { name: 'reg', source: `s3://b/${n}` }),
  ),
  remove('setup', 'model-versions/delete', { name: 'reg', version: '3' }),
  post('setup', 'registered-models/alias', { name: 'reg', alias: 'champion', version: '1' }),
];

/** Reads the whole state; inserted after each chapter. */
const readBack = (chapter: string): readonly ErrorStep[] => [
  get(`after ${chapter}`, 'runs/get', { run_id: '$run' }),
  get(`after ${chapter}`, 'experiments/get', { experiment_id: '$one' }),
  get(`after ${chapter}`, 'registered-models/get', { name: 'reg' }),
  get(`after ${chapter}`, 'model-versions/get', { name: 'reg', version: '1' }),
  get(`after ${chapter}`, 'logged-models/$logged'),
];

const keys: readonly ErrorStep[] = [
  ...each(hostileKeys, (title, key) =>
    post(title, 'runs/log-metric', { run_id: '$run', key, value: 1, timestamp: 1 }),
  ),
  ...each(hostileKeys, (title, key) =>
    post(title, 'runs/log-parameter', { run_id: '$run', key, value: 'v' }),
  ),
  ...each(hostileKeys, (title, key) => post(title, 'runs/set-tag', { run_id: '$run', key, value: 'v' })),
  ...each(hostileKeys, (title, key) =>
    post(title, 'experiments/set-experiment-tag', { experiment_id: '$one', key, value: 'v' }),
  ),
  ...each(hostileKeys, (title, key) =>
    post(title, 'registered-models/set-tag', { name: 'reg', key, value: 'v' }),
  ),
  ...each(hostileKeys, (title, key) =>
    post(title, 'model-versions/set-tag', { name: 'reg', version: '1', key, value: 'v' }),
  ),
  ...each(hostileKeys, (title, key) =>
    patch(title, 'logged-models/$logged/tags', { tags: [{ key, value: 'v' }] }),
  ),
  ...each(hostileKeys, (title, key) =>
    post(`${title}, beside good ones`, 'runs/log-batch', {
      run_id: '$run',
      metrics: [
        { key: 'beside', value: 1, timestamp: 1 },
        { key, value: 1, timestamp: 1 },
      ],
      params: [{ key: `beside ${title}`, value: '' }],
      tags: [{ key: 'beside', value: title }],
    }),
  ),
];

const names: readonly ErrorStep[] = [
  ...each(hostileNames, (title, name) => post(title, 'experiments/create', { name })),
  ...each(hostileNames, (title, name) => post(title, 'registered-models/create', { name })),
  ...each(hostileNames, (title, alias) =>
    post(title, 'registered-models/alias', { name: 'reg', alias, version: '1' }),
  ),
  ...each(hostileNames, (title, name) => post(title, 'logged-models', { experiment_id: '$one', name })),
  ...each(hostileNames, (title, new_name) =>
    post(title, 'registered-models/rename', { name: 'other absent', new_name }),
  ),
  ...each(hostileNames, (title, run_id) => get(title, 'runs/get', { run_id })),
  ...each(hostileNames, (title, experiment_id) => get(title, 'experiments/get', { experiment_id })),
  ...each(hostileNames, (title, name) => get(title, 'registered-models/get', { name })),
  ...each(hostileNames, (title, run_id) => post(title, 'runs/set-tag', { run_id, key: 'k', value: 'v' })),
  ...each(hostileNames, (title, experiment_id) => post(title, 'runs/create', { experiment_id })),
  ...each(hostileNames, (title, model_id) =>
    post(title, 'runs/log-metric', { run_id: model_id, key: 'm', value: 1, timestamp: 1 }),
  ),
  ...each(hostileNames, (title, source) => post(title, 'model-versions/create', { name: 'absent', source })),
];

const lengths: readonly ErrorStep[] = [
  ...[500, 501, 6_000, 6_001].map((n) =>
    post(`value of ${n}`, 'runs/log-parameter', { run_id: '$run', key: `p${n}`, value: 'v'.repeat(n) }),
  ),
  ...[8_000, 8_001].map((n) =>
    post(`value of ${n}`, 'runs/set-tag', { run_id: '$run', key: `t${n}`, value: 'v'.repeat(n) }),
  ),
  ...[5_000, 5_001].map((n) =>
    post(`value of ${n}`, 'experiments/set-experiment-tag', {
      experiment_id: '$one',
      key: `t${n}`,
      value: 'v'.repeat(n),
    }),
  ),
  ...[100_000, 100_001].map((n) =>
    post(`value of ${n}`, 'registered-models/set-tag', { name: 'reg', key: `t${n}`, value: 'v'.repeat(n) }),
  ),
  ...[100_000, 100_001].map((n) =>
    post(`value of ${n}`, 'model-versions/set-tag', {
      name: 'reg',
      version: '1',
      key: `t${n}`,
      value: 'v'.repeat(n),
    }),
  ),
  post('the same, which was cut', 'runs/log-parameter', {
    run_id: '$run',
    key: 'p6001',
    value: 'v'.repeat(6_001),
  }),
  post('another, cut to the same', 'runs/log-parameter', {
    run_id: '$run',
    key: 'p6001',
    value: 'v'.repeat(6_002),
  }),
  post('value of 10 MB', 'runs/set-tag', { run_id: '$run', key: 'large', value: large }),
  post('value of 10 MB', 'runs/log-parameter', { run_id: '$run', key: 'large', value: large }),
  post('value of 10 MB', 'registered-models/set-tag', { name: 'reg', key: 'large', value: large }),
  post('key of 10 MB', 'runs/log-metric', { run_id: '$run', key: large, value: 1, timestamp: 1 }),
  post('1000 metrics', 'runs/log-batch', { run_id: '$run', metrics: many(1_000, metric) }),
  post('1001 metrics', 'runs/log-batch', { run_id: '$run', metrics: many(1_001, metric) }),
  post('100 params', 'runs/log-batch', {
    run_id: '$run',
    params: many(100, (i) => ({ key: `b${i}`, value: '' })),
  }),
  post('101 params', 'runs/log-batch', {
    run_id: '$run',
    params: many(101, (i) => ({ key: `c${i}`, value: '' })),
  }),
  post('100 tags', 'runs/log-batch', {
    run_id: '$run',
    tags: many(100, (i) => ({ key: `b${i}`, value: '' })),
  }),
  post('101 tags', 'runs/log-batch', {
    run_id: '$run',
    tags: many(101, (i) => ({ key: `c${i}`, value: '' })),
  }),
  post('1001 items in all', 'runs/log-batch', {
    run_id: '$run',
    metrics: many(901, metric),
    params: many(50, (i) => ({ key: `d${i}`, value: '' })),
    tags: many(50, (i) => ({ key: `d${i}`, value: '' })),
  }),
  ...[100, 101].map((n) =>
    post(`${n} params`, 'logged-models/$logged/params', {
      params: many(n, (i) => ({ key: `n${n}-${i}`, value: '' })),
    }),
  ),
];

const searches: readonly ErrorStep[] = [
  ...each(strangeNumbers, (title, max_results) =>
    post(`max_results ${title}`, 'runs/search', { experiment_ids: ['$one'], max_results }),
  ),
  ...each(strangeNumbers, (title, max_results) =>
    post(`max_results ${title}`, 'experiments/search', { max_results }),
  ),
  ...each(strangeNumbers, (title, max_results) =>
    post(`max_results ${title}`, 'logged-models/search', { experiment_ids: ['$one'], max_results }),
  ),
  ...['0', '-1', '1000', '1001', 'x', '1.5', ''].map((max_results) =>
    get(`max_results ${max_results}`, 'registered-models/search', { max_results }),
  ),
  ...['0', '-1', '200000', '200001', 'x', '1.5', ''].map((max_results) =>
    get(`max_results ${max_results}`, 'model-versions/search', { max_results }),
  ),
  ...['-1', '25000', '25001', 'x', ''].map((max_results) =>
    get(`max_results ${max_results}`, 'metrics/get-history', {
      run_id: '$run',
      metric_key: 'm',
      max_results,
    }),
  ),
  ...each(strangeTokens, (title, page_token) =>
    post(`token ${title}`, 'runs/search', { experiment_ids: ['$one'], page_token }),
  ),
  ...each(strangeTokens, (title, page_token) =>
    post(`token ${title}`, 'experiments/search', { max_results: 5, page_token }),
  ),
  ...each(strangeTokens, (title, page_token) =>
    get(`token ${title}`, 'registered-models/search', { page_token: String(page_token) }),
  ),
  ...each(strangeTokens, (title, page_token) =>
    get(`token ${title}`, 'model-versions/search', { page_token: String(page_token) }),
  ),
  ...each(strangeTokens, (title, page_token) =>
    post(`token ${title}`, 'logged-models/search', { experiment_ids: ['$one'], page_token }),
  ),
  post('an unknown view', 'runs/search', { experiment_ids: ['$one'], run_view_type: 'SOME' }),
  post('a view by a number that is none', 'runs/search', { experiment_ids: ['$one'], run_view_type: 77 }),
  post('an order that is none', 'runs/search', {
    experiment_ids: ['$one'],
    order_by: ['metrics.m SIDEWAYS'],
  }),
  post('an unknown attribute', 'runs/search', { experiment_ids: ['$one'], filter: "attributes.color = 'x'" }),
  post('OR', 'experiments/search', { max_results: 5, filter: "name = 'a' AND AND name = 'b'" }),
  post('a quote that does not end', 'runs/search', { experiment_ids: ['$one'], filter: "tags.t = 'x" }),
];

const states: readonly ErrorStep[] = [
  ...(['delete', 'set-experiment-tag', 'update'] as const).map((action) =>
    post('of a deleted one', `experiments/${action}`, {
      experiment_id: '$gone',
      key: 'k',
      value: 'v',
      new_name: 'x',
    }),
  ),
  post('in a deleted one', 'runs/create', { experiment_id: '$gone' }),
  post('in a deleted one', 'logged-models', { experiment_id: '$gone', name: 'm' }),
  post('of a deleted experiment', 'runs/log-metric', {
    run_id: '$goneRun',
    key: 'm',
    value: 1,
    timestamp: 1,
  }),
  post('of a deleted experiment', 'runs/set-tag', { run_id: '$goneRun', key: 'm', value: '1' }),
  post('one that is there', 'experiments/restore', { experiment_id: '$one' }),
  post('to a name that is taken', 'experiments/update', { experiment_id: '$one', new_name: 'Default' }),
  post('one that is there', 'runs/restore', { run_id: '$run' }),
  post('deleted', 'runs/log-batch', { run_id: '$dead', metrics: [metric(1)] }),
  post('deleted', 'runs/log-inputs', { run_id: '$dead', datasets: [] }),
  post('deleted', 'runs/update', { run_id: '$dead', status: 'FINISHED' }),
  post('deleted', 'runs/delete', { run_id: '$dead' }),
  ...['SLEEPING', '', 'running', 99, -1].map((status) =>
    post(`status ${JSON.stringify(status)}`, 'runs/update', { run_id: '$run', status }),
  ),
  ...['LOGGED_MODEL_ASLEEP', 'READY', '', 77].map((status) =>
    patch(`status ${JSON.stringify(status)}`, 'logged-models/$logged', { model_id: '$logged', status }),
  ),
  get('unknown', 'logged-models/m-00000000000000000000000000000000'),
  remove('unknown', 'logged-models/m-00000000000000000000000000000000', {}),
  patch('unknown', 'logged-models/m-0/tags', { tags: [{ key: 'k', value: 'v' }] }),
  remove('a key that is not there', 'logged-models/$logged/tags/never', {}),
  ...['0', '-1', '1.5', '1e0', '01', ' 1', '99999999999999999999', '3', '7', '', 'x'].flatMap((version) => [
    get(`version "${version}"`, 'model-versions/get', { name: 'reg', version }),
    post(`version "${version}"`, 'registered-models/alias', {
      name: 'reg',
      alias: 'x',
      version: version === '01' || version === ' 1' ? '8' : version,
    }),
    post(`version "${version}"`, 'model-versions/transition-stage', {
      name: 'reg',
      version: version === '01' || version === ' 1' ? '8' : version,
      stage: 'None',
    }),
  ]),
  ...['Nowhere', '', 'none', 'STAGING '].map((stage) =>
    post(`stage "${stage}"`, 'model-versions/transition-stage', { name: 'reg', version: '2', stage }),
  ),
  post('onto another', 'registered-models/rename', { name: 'reg', new_name: 'other' }),
  post('onto itself', 'registered-models/rename', { name: 'reg', new_name: 'reg' }),
  post('the name of one that is there', 'registered-models/create', { name: 'reg' }),
  remove('twice', 'model-versions/delete', { name: 'reg', version: '3' }),
];

const strange = { number: 7, true: true, list: ['x'], object: { a: 1 }, null: null } as const;
/** A valid body, then the same with one member wrong in turn. */
const typed: readonly (readonly [path: string, body: Body])[] = [
  ['experiments/create', { name: 'typed', artifact_location: '', tags: [] }],
  ['runs/create', { experiment_id: 'absent', start_time: 1, run_name: 'x', tags: [] }],
  ['runs/log-metric', { run_id: '$run', key: 'typed', value: 1, timestamp: 1, step: 1 }],
  ['runs/log-parameter', { run_id: '$run', key: 'typed', value: '1' }],
  ['runs/log-batch', { run_id: '$run', metrics: [], params: [], tags: [] }],
  ['runs/update', { run_id: '$run', status: 'RUNNING', end_time: 5, run_name: 'r' }],
  ['runs/search', { experiment_ids: ['$one'], filter: '', order_by: [], page_token: '' }],
  ['registered-models/create', { name: 'typed', description: '', tags: [] }],
  ['model-versions/create', { name: 'absent', source: 's3://b/x', run_id: '', tags: [] }],
  ['registered-models/alias', { name: 'reg', alias: 'typed', version: '9' }],
];
const types = typed.flatMap(([path, body]) =>
  Object.keys(body).flatMap((member) =>
    each<unknown>(strange, (title, value) =>
      post(`${member} is ${title}`, path, { ...body, [member]: value }),
    ),
  ),
);

const bodies = ['experiments/create', 'runs/log-batch', 'model-versions/create'].flatMap((path) =>
  each(strangeBodies, (title, raw) => post(title, path, { [rawBody]: raw })),
);

/** Requests of no benign client: hostile keys and names, limits, wrong types, conflicting states. */
export const errorScript: readonly ErrorStep[] = tellApart(
  [
    ...setup,
    ...keys,
    ...readBack('hostile keys'),
    ...names,
    ...readBack('hostile names'),
    ...lengths,
    ...readBack('limits'),
    ...searches,
    ...states,
    ...readBack('conflicts'),
    ...types,
    ...bodies,
    ...readBack('strange bodies'),
  ],
  new Map(),
);

/** Numbers the steps of one title. */
function tellApart(steps: readonly ErrorStep[], seen: Map<string, number>): readonly ErrorStep[] {
  return steps.map((step) => {
    const count = (seen.get(step.title) ?? 0) + 1;
    seen.set(step.title, count);
    return count === 1 ? step : { ...step, title: `${step.title} (${count})` };
  });
}
