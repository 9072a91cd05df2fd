import type { ScriptStep } from '../../support/mlflow/script.ts';

type Body = Record<string, unknown>;

const request =
  (method: ScriptStep['method']) =>
  (path: string, body: Body, keep?: Record<string, string>): ScriptStep => ({
    method,
    path: `mlflow/${path}`,
    body,
    ...(keep ? { keep } : {}),
  });
const post = request('POST');
const patch = request('PATCH');
const remove = (path: string): ScriptStep => ({ method: 'DELETE', path: `mlflow/${path}` });
const get = (path: string, query: Record<string, string | readonly string[]> = {}): ScriptStep => ({
  method: 'GET',
  path: `mlflow/${path}`,
  query,
});

const create = (name: string, more: Body = {}) =>
  post('logged-models', { experiment_id: '$e', name, ...more }, { [name]: 'model.info.model_id' });
const measure = (run: string, model: string, value: number, timestamp: number, dataset: Body = {}) =>
  post('runs/log-metric', {
    run_id: run,
    model_id: model,
    key: 'acc',
    value,
    timestamp,
    step: 0,
    ...dataset,
  });
const find = (search: Body) =>
  post('logged-models/search', {
    experiment_ids: ['$e'],
    order_by: [{ field_name: 'name' }],
    ...search,
  });
const filters = [
  "name = 'alpha'",
  "name != 'alpha'",
  "name LIKE 'al%'",
  "name ILIKE 'AL%'",
  "name IN ('alpha', 'beta')",
  "name NOT IN ('alpha', 'beta')",
  "attributes.name = 'gamma'",
  "model_type = 'tree'",
  "model_type != 'tree'",
  "params.lr = '0.1'",
  "params.lr != '0.1'",
  "params.`lr` LIKE '0.%'",
  "tags.team ILIKE 'RED'",
  "tags.team IN ('red', 'Red')",
  "tags.team != 'red'",
  'metrics.acc > 0.6',
  'metrics.acc <= 0.3',
  'metrics.acc != 0.3',
  "metrics.acc > 0.1 AND params.lr = '0.1'",
  'creation_timestamp > 0',
  'creation_time < 5',
  'last_updated_timestamp >= 5',
  "source_run_id = '123'",
];
const badFilters = ["foo.bar = 'x'", "name > 'a'", "metrics.acc LIKE 'x'", 'garbage'];
const orders = [
  [{ field_name: 'name', ascending: false }],
  [{ field_name: 'metrics.acc' }],
  [{ field_name: 'metrics.acc', ascending: false }, { field_name: 'name' }],
  [{ field_name: 'metrics.acc', dataset_name: 'train' }],
  [{ field_name: 'metrics.acc', dataset_name: 'test', dataset_digest: 'd2', ascending: false }],
  [{ field_name: 'model_type' }, { field_name: 'name' }],
];
const train1 = { dataset_name: 'train', dataset_digest: 'd1' };
const test2 = { dataset_name: 'test', dataset_digest: 'd2' };
const test3 = { dataset_name: 'test', dataset_digest: 'd3' };
const dataset = (name: string, digest: string) => ({ name, digest, source_type: 'local', source: '{}' });
const context = (value: string) => [{ key: 'mlflow.data.context', value }];

/** Requests of clients about logged models, and about inputs and outputs of runs. */
export const loggedModelScript: readonly ScriptStep[] = [
  post('experiments/create', { name: 'models' }, { e: 'experiment_id' }),
  post('runs/create', { experiment_id: '$e', start_time: 1, run_name: 'one' }, { one: 'run.info.run_id' }),
  post('runs/create', { experiment_id: '$e', start_time: 2, run_name: 'two' }, { two: 'run.info.run_id' }),

  create('alpha', {
    model_type: 'linear',
    source_run_id: '123',
    params: [{ key: 'lr', value: '0.1' }],
    tags: [{ key: 'team', value: 'red' }],
  }),
  create('beta', { model_type: 'tree', params: [{ key: 'lr', value: '0.2' }] }),
  create('gamma', { tags: [{ key: 'team', value: 'Red' }] }),
  create('delta'),
  ...['a/b', 'a:b', 'a.b', 'a%b', 'a"b', "a'b"].map((name) =>
    post('logged-models', { experiment_id: '$e', name }),
  ),
  post('logged-models', {}),
  post('logged-models', { experiment_id: '$e', tags: 'x' }),
  post('logged-models', { experiment_id: '987654', name: 'm' }),
  get('logged-models/$alpha'),
  get('logged-models/$beta'),
  get(`logged-models/m-${'0'.repeat(32)}`),

  measure('$one', '$alpha', 0.5, 1),
  measure('$one', '$alpha', 0.9, 2, train1),
  measure('$one', '$alpha', 0.7, 3, test2),
  measure('$one', '$beta', 0.8, 1, train1),
  measure('$two', '$beta', 0.6, 2, test3),
  measure('$one', '$gamma', 0.3, 1),
  measure('$one', '$gamma', 0.3, 1),
  get('logged-models/$alpha'),
  get('logged-models/$beta'),
  get('logged-models/$gamma'),
  post('runs/log-batch', {
    run_id: '$one',
    metrics: [{ key: 'loss', value: 1, timestamp: 1, step: 2, model_id: '$gamma' }],
  }),
  get('logged-models/$gamma'),
  // Checkpoints of a training: each step is kept.
  post('runs/log-batch', {
    run_id: '$two',
    metrics: [1, 2, 3].map((step) => ({
      key: 'loss',
      value: 1 / 2 ** step,
      timestamp: step,
      step,
      model_id: '$beta',
      ...train1,
    })),
  }),
  get('logged-models/$beta'),

  ...filters.map((filter) => find({ filter })),
  ...badFilters.map((filter) => find({ filter })),
  ...orders.map((order_by) => find({ order_by })),
  ...[[train1], [test2], [test3], [test2, test3], [{ dataset_name: 'x', dataset_digest: 'y' }]].flatMap(
    (datasets) => [
      find({ datasets }),
      find({ datasets, filter: 'metrics.acc > 0.65' }),
      find({ datasets, filter: 'metrics.acc < 0.65' }),
    ],
  ),
  find({ datasets: [{ dataset_digest: 'd1' }] }),
  find({ order_by: [{ field_name: 'params.lr' }] }),
  find({ order_by: [{ field_name: 'nothing' }] }),
  find({ max_results: 'many' }),
  find({ experiment_ids: ['987654'] }),
  find({ experiment_ids: 'text' }),
  { ...find({ max_results: 3 }), keep: { page: 'next_page_token' } },
  find({ max_results: 3, page_token: '$page' }),

  patch('logged-models/$alpha', { model_id: '$alpha', status: 'LOGGED_MODEL_READY' }),
  patch('logged-models/$alpha', { model_id: '$alpha', status: 3 }),
  patch('logged-models/$alpha', { model_id: '$alpha' }),
  patch('logged-models/$alpha/tags', {
    tags: [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ],
  }),
  patch('logged-models/$alpha/tags', { tags: [] }),
  remove('logged-models/$alpha/tags/team'),
  remove('logged-models/$alpha/tags/team'),
  post('logged-models/$alpha/params', { model_id: '$alpha', params: [{ key: 'depth', value: '3' }] }),
  get('logged-models/$alpha'),
  remove('logged-models/$delta'),
  remove('logged-models/$delta'),
  get('logged-models/$delta'),
  get('logged-models/$delta', { allow_deleted: 'true' }),
  find({}),

  post('runs/log-inputs', {
    run_id: '$one',
    datasets: [
      { dataset: dataset('a', '1'), tags: [...context('training'), { key: 'x', value: 'y' }] },
      { dataset: dataset('a', '1'), tags: context('ignored') },
      { dataset: { ...dataset('b', '2'), schema: '{"s":1}', profile: '{"p":1}' } },
    ],
    models: [{ model_id: '$alpha' }],
  }),
  post('runs/log-inputs', {
    run_id: '$one',
    datasets: [{ dataset: dataset('a', '1'), tags: context('test') }],
  }),
  post('runs/outputs', { run_id: '$one', models: [{ model_id: '$beta', step: 3 }] }),
  get('runs/get', { run_id: '$one' }),
  post('runs/search', {
    experiment_ids: ['$e'],
    filter: "dataset.name = 'b' AND dataset.context = 'training'",
  }),
  post('runs/search', { experiment_ids: ['$e'], filter: "dataset.context = 'test'" }),
  post('runs/log-inputs', { datasets: [] }),
  post('runs/log-inputs', { run_id: '$one', datasets: 'x' }),
  post('runs/log-inputs', { run_id: '$one', datasets: [{ dataset: dataset('n'.repeat(501), '1') }] }),
  post('runs/log-inputs', { run_id: '$one', datasets: [{ dataset: dataset('n', 'd'.repeat(37)) }] }),
  post('runs/log-inputs', { run_id: 'f'.repeat(32), datasets: [] }),
  post('runs/outputs', { run_id: '$one' }),
  post('runs/outputs', { run_id: 'f'.repeat(32), models: [{ model_id: 'm' }] }),
  post('runs/log-model', { run_id: '$one', model_json: '{' }),
  post('runs/log-model', { run_id: '$one', model_json: '{"run_id":"1","flavors":{},"artifact_path":"p"}' }),
  post('runs/log-model', { run_id: '$one' }),
];
