import { describe, expect, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import { writeModelFolder } from '../../../shared/api/mlflow/model-folder.ts';
import type { InspectModel } from '../../../shared/domains/registry/open-model.ts';
import { modelBlob } from '../../../shared/domains/registry/trained-version.ts';
import { artifactFolder, checkSource, parseModelUri } from '../../../shared/domains/registry/sources.ts';
import { checkBlobRef } from '../../../shared/platform/storage/blob-rules.ts';
import { createMemoryBlobs } from '../../support/blobs/memory-blobs.ts';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { createDocuments } from '../../support/stores.ts';

const ready: InspectModel = async ({ ref }) => ({ sha256: sha256(ref.name), serving: { status: 'ready' } });
const signature = {
  inputs: [{ name: 'x', type: 'float32', shape: ['rows', 1] }],
  outputs: [{ name: 'probability', type: 'float32', shape: ['rows', 1] }],
  opsets: [{ domain: 'ai.onnx', version: 15 }],
  irVersion: 8,
  producer: 'test',
};

async function create(files: Readonly<Record<string, string>>, inspect = ready, isGone = () => false) {
  const registry = createRegistry(createDocuments());
  await registry.models.create({ name: 'm' }, 'ada');
  const blobs = createMemoryBlobs(
    Object.fromEntries(Object.entries(files).map(([name, body]) => [`artifacts/${name}`, body])),
  );
  const noted: unknown[] = [];
  const registration = createRegistration(registry, {
    blobs,
    inspect,
    lookup: {
      findRun: async (runId) =>
        runId === 'run' && !isGone()
          ? {
              artifactUri: 'mlflow-artifacts:/0/run/artifacts',
              codeVersion: 'abc',
              inputs: [{ name: 'flights', digest: '1' }],
            }
          : undefined,
      findLoggedModel: async (modelId) =>
        modelId === 'm-1' && !isGone()
          ? {
              artifactLocation: 'mlflow-artifacts:/0/models/m-1/artifacts',
              sourceRunId: 'run',
              params: { c: '1' },
              metrics: { auc: 0.9 },
            }
          : undefined,
      noteVersion: async (...noticed) => {
        noted.push(noticed);
        if (noticed[1] === 'unreachable') throw new AppError('UNAVAILABLE', 'down');
      },
    },
  });
  const register = (source: string, more: object = {}) =>
    registration.register({ model: 'm', source, ...more }, 'ada');
  return { registry, registration, blobs, register, noted };
}

describe('registering a version', () => {
  test('from a run: records model file, code version and data', async () => {
    const { register } = await create({
      '0/run/artifacts/model/model.onnx': 'x',
      '0/run/artifacts/a.onnx': 'y',
    });
    const name = '0/run/artifacts/model/model.onnx';
    expect(await register('mlflow-artifacts:/0/run/artifacts/model', { runId: 'run' })).toMatchObject({
      storageLocation: 'mlflow-artifacts:/0/run/artifacts/model',
      lineage: { trackingRunId: 'run', codeVersion: 'abc', inputs: [{ name: 'flights', digest: '1' }] },
      file: { container: 'artifacts', name, sha256: sha256(name), sizeBytes: 1 },
      serving: { status: 'ready' },
    });
    // The client resolves these itself; registration opens their target too.
    expect(await register('runs:/run/model', { runId: 'run' })).toMatchObject({
      storageLocation: 'runs:/run/model',
      file: { name },
    });
  });

  test('from a logged model: records its place, run, params and metrics', async () => {
    const { register, noted } = await create({ '0/models/m-1/artifacts/model.onnx': 'x' });
    expect(await register('models:/m-1')).toMatchObject({
      source: 'models:/m-1',
      storageLocation: 'mlflow-artifacts:/0/models/m-1/artifacts',
      runId: 'run',
      modelId: 'm-1',
      params: { c: '1' },
      metrics: { auc: 0.9 },
      serving: { status: 'ready' },
    });
    expect(noted).toEqual([['m-1', 'm', 1, 'ada']]);
    await expect(register('models:/m-2')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(register('models:/m-1', { modelId: 'm-3' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('from another version: copies its details', async () => {
    const { registry, register } = await create({ '0/run/artifacts/model/model.onnx': 'x' });
    const first = await register('mlflow-artifacts:/0/run/artifacts/model', { runId: 'run' });
    await registry.aliases.move('m', 'champion', 1, 'ada');
    for (const source of ['models:/m/1', 'models:/m@champion', 'models:/m/None'])
      expect(await register(source)).toMatchObject({
        source: expect.stringMatching(/^models:\/m\/\d$/) as string,
        storageLocation: first.storageLocation,
        file: first.file,
        lineage: first.lineage,
        serving: first.serving,
      });
  });

  test.each([
    ['a run', 'mlflow-artifacts:/0/run/artifacts/model', { runId: 'run' }, 'NOT_FOUND'],
    ['a logged model', 'models:/m-1', { runId: 'unknown' }, 'INVALID_ARGUMENT'],
  ])('nothing refers to %s that was removed while it was opened', async (_, source, more, code) => {
    let isGone = false;
    const removing: InspectModel = async (file) => {
      isGone = true;
      return ready(file);
    };
    const files = { '0/run/artifacts/model/model.onnx': 'x', '0/models/m-1/artifacts/model.onnx': 'x' };
    const { registry, register } = await create(files, removing, () => isGone);
    await expect(register(source, more)).rejects.toMatchObject({ code });
    expect(isGone).toBe(true);
    expect(await registry.versions.latest('m')).toEqual([]);
  });

  test('succeeds when the logged model cannot be updated', async () => {
    const { registry, registration } = await create({});
    await registry.models.create({ name: 'unreachable' }, 'ada');
    const version = await registration.register({ model: 'unreachable', source: 'models:/m-1' }, 'ada');
    expect(version.version).toBe(1);
  });

  test.each([
    [
      'no ONNX file',
      { '0/run/artifacts/model/MLmodel': 'x' },
      'mlflow-artifacts:/0/run/artifacts/model',
      /no ONNX/,
    ],
    ['several', { 'a/x.onnx': '1', 'a/y.onnx': '2' }, 'mlflow-artifacts:/a', /several/],
    ['files elsewhere', {}, 's3://bucket/model', /not in this platform/],
    ['a sibling with the same prefix', { 'ab/model.onnx': '1' }, 'mlflow-artifacts:/a', /no ONNX/],
  ])('with %s it is not checked, and says so', async (_, files: Record<string, string>, source, why) => {
    const { register } = await create(files);
    const version = await register(source);
    expect(version.serving).toEqual({ status: 'notChecked', reason: expect.stringMatching(why) as string });
    expect(version.file).toBeUndefined();
  });

  test('succeeds during an outage of the storage', async () => {
    const failWithOutage = () => Promise.reject(new AppError('UNAVAILABLE', 'The storage is down.'));
    const { register } = await create({ 'a/model.onnx': 'x' }, failWithOutage);
    expect((await register('mlflow-artifacts:/a')).serving).toEqual({
      status: 'notChecked',
      reason: 'It could not be read: The storage is down.',
    });
  });

  test('an invalid source uses no version number, and an unknown model reads nothing', async () => {
    const { registry, registration, register } = await create({});
    await expect(register('/etc/passwd')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(registration.register({ model: 'none', source: 's3://b/m' }, 'ada')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await registry.models.get('m')).latestVersion).toBe(0);
  });
});

describe('sources', () => {
  test.each([
    's3://bucket/model',
    'mlflow-artifacts:/models///',
    'mlflow-artifacts://host:9000/models/artifact/..../',
    'runs:/run/model',
    'models:/m/1',
    'models:/m-1',
    'https://host/path/model',
  ])('%s is one', (source) => expect(() => checkSource(source)).not.toThrow());

  test.each([
    '/tmp',
    'tmp/model',
    'file:///tmp',
    'FILE:///tmp',
    'C:\\models',
    'file://123.456.789.123/path',
    's3a://bucket/x/../../',
    'mlflow-artifacts://host:9000/models/..%2f..%2fartifacts',
    'mlflow-artifacts:/models/%25252e%25252e/x',
    'mlflow-artifacts:/models/artifact%00',
    'mlflow-artifacts:/a/./b',
    'dbfs:/run/artifacts/a%3f/../../../',
    `s3://bucket/${'a'.repeat(2_000)}`,
    '',
  ])('%s is none', (source) => {
    expect(() => checkSource(source)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error);
  });

  test('an artifact URI denotes a folder of the platform, and nothing outside', () => {
    expect(artifactFolder('mlflow-artifacts:/0//run/artifacts/m%20x/')?.name).toBe('0/run/artifacts/m x');
    expect(artifactFolder('mlflow-artifacts://host:1/0/x')?.name).toBe('0/x');
    expect(artifactFolder('s3://bucket/x')).toBeUndefined();
    expect(artifactFolder('mlflow-artifacts:/')).toBeUndefined();
  });

  test('splits a name with several @ at the last one', () => {
    expect(parseModelUri('models:/a@b@c')).toEqual({ kind: 'alias', model: 'a@b', alias: 'c' });
    expect(parseModelUri('models:/m/latest')).toEqual({ kind: 'latest', model: 'm' });
    expect(() => parseModelUri('models://host/m/1')).toThrow(/models:\//);
    expect(() => parseModelUri('models:/a/b/c')).toThrow(/models:\//);
  });
});

describe('a trained model', () => {
  const bytes = 'the model';
  const trained = {
    model: 'Any näme.',
    sha256: sha256(bytes),
    sizeBytes: bytes.length,
    metrics: { aucScore: 0.7 },
    lineage: { runId: 'run-1', codeVersion: 'test' },
  };

  test('becomes one version with a directory for MLflow, however often it is registered', async () => {
    const from = modelBlob(trained.model, trained.sha256);
    const blobs = createMemoryBlobs({ [`${from.container}/${from.name}`]: bytes });
    const registry = createRegistry(createDocuments());
    const inspect: InspectModel = async () => ({
      sha256: trained.sha256,
      serving: { status: 'ready' },
      signature,
    });
    const registration = createRegistration(registry, {
      blobs,
      inspect,
      writeModelFolder: (model) => writeModelFolder(blobs, model),
    });
    const first = await registration.registerTrained(trained, 'run-1.register');
    const files = blobs.files();
    expect(await registration.registerTrained(trained, 'run-1.register')).toEqual(first);
    expect(blobs.files()).toEqual(files);
    expect(first.storageLocation).toBe(`mlflow-artifacts:/_registry/${trained.sha256}`);
    const at = (name: string) => files[`artifacts/_registry/${trained.sha256}/${name}`];
    expect(at('model.onnx')).toBe(bytes);
    expect(at('MLmodel')).toContain('loader_module: mlflow.onnx');
    const inputs = /inputs: (.*)/.exec(at('MLmodel') ?? '')?.[1] ?? '';
    expect(JSON.parse(JSON.parse(inputs) as string)).toEqual([
      { name: 'x', type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 1] } },
    ]);
  });

  test('without its file is not registered', async () => {
    const registration = createRegistration(createRegistry(createDocuments()), {
      blobs: createMemoryBlobs({}),
    });
    await expect(registration.registerTrained(trained, 'run-1.register')).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
    });
  });

  test('of a type that MLflow does not have gets no signature there', async () => {
    const blobs = createMemoryBlobs({ 'models/x': bytes });
    const odd = { ...signature, inputs: [{ name: 'x', type: 'float8', shape: [] }] };
    await writeModelFolder(blobs, {
      from: { container: 'models', name: 'x' },
      sha256: 's',
      sizeBytes: 1,
      signature: odd,
    });
    expect(blobs.files()['artifacts/_registry/s/MLmodel']).not.toContain('signature');
  });

  test.each(['late-flights', 'Any näme.', '..', 'a\\b', 'x'.repeat(256), 'ü'.repeat(256), 'a '])(
    'has a valid blob name: %s',
    (model) => {
      expect(() => checkBlobRef(modelBlob(model, sha256('x')))).not.toThrow();
    },
  );
});
