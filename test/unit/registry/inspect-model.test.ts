import { readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import { createScratch } from '../../../shared/adapters/embedded/scratch-files.ts';
import { createModelInspector } from '../../../shared/adapters/onnx/inspection/inspect-model.ts';
import {
  encodeModel,
  floatTensor,
  rowsOf,
  type Graph,
  type Node,
} from '../../../shared/adapters/onnx/files/onnx-proto.ts';
import { intField, messageField, textField } from '../../../shared/adapters/onnx/files/protobuf-writer.ts';
import type { BlobProperties, BlobRef } from '../../../shared/platform/storage/blobs.ts';
import type { ScratchFiles } from '../../../shared/platform/storage/scratch.ts';
import {
  cast,
  createModel,
  identity,
  readSklearnModel,
  untypedValue,
  value,
} from '../../support/onnx/models.ts';
import { patienceMs } from '../../support/hang-guard.ts';
import { createFolder } from '../../support/stores.ts';
import { dyingWorkerUrl } from '../../support/worker/dying-worker.ts';

const golden = readFileSync(new URL('../../golden/onnx/logistic.onnx', import.meta.url));

/** x → y by one operator; y has the given name and shape. */
function encode({
  op = 'Identity',
  output = 'probability',
  input = rowsOf('x', 'float32'),
  nodes = [{ op, inputs: ['x'], output }] as readonly Node[],
  initializers = [] as Graph['initializers'],
} = {}): Uint8Array {
  return encodeModel({
    graph: {
      name: 'g',
      nodes,
      initializers,
      inputs: [input],
      outputs: [rowsOf(output, 'float32')],
    },
    opsets: [{ domain: '', version: 15 }],
    irVersion: 8,
    metadata: {},
  });
}

const wide = value('x', 'float32', ['rows', 4]);

const inspectWorkerUrl = new URL('../../../shared/workers/inspect.ts', import.meta.url);

function create(
  bytes: Uint8Array,
  options: {
    maxBytes?: number;
    timeoutMs?: number;
    fails?: AppError;
    weights?: Readonly<Record<string, Uint8Array>>;
    workerUrl?: URL;
  } = {},
) {
  const {
    maxBytes = 2 ** 20,
    timeoutMs = patienceMs,
    fails,
    weights = {},
    workerUrl = inspectWorkerUrl,
  } = options;
  const stored = new Map(Object.entries({ ...weights, 'model.onnx': bytes }));
  const head = async (ref: BlobRef): Promise<BlobProperties | undefined> => {
    const body = stored.get(ref.name.replace(/^m\//, ''));
    if (body === undefined) return undefined;
    return { ref, etag: 'e', sizeBytes: body.length, contentType: '', metadata: {}, lastModified: 0 };
  };
  const files = createScratch({
    head,
    open: async (ref) => {
      const properties = await head(ref);
      if (properties === undefined) throw new AppError('NOT_FOUND', 'There is no such blob.');
      return { properties, body: Readable.from([stored.get(ref.name.replace(/^m\//, ''))]) };
    },
  });
  let downloads = 0;
  const scratch: ScratchFiles = {
    download: async (ref, wanted) => {
      downloads += 1;
      if (fails) throw fails;
      return files.download(ref, wanted);
    },
  };
  const blob = {
    ref: { container: 'c', name: 'm/model.onnx' },
    etag: 'e',
    sizeBytes: bytes.length,
  } as BlobProperties;
  const inspect = createModelInspector({ scratch, workerUrl }, { maxBytes, timeoutMs });
  return { inspect: () => inspect(blob), downloads: () => downloads };
}

test('a model that can be scored is ready and has a signature', async () => {
  const found = await create(golden).inspect();
  expect(found).toMatchObject({ sha256: sha256(golden), serving: { status: 'ready' } });
  expect(found.signature).toMatchObject({
    inputs: expect.arrayContaining([expect.objectContaining({ type: 'string' })]) as unknown,
    outputs: expect.arrayContaining([
      { name: 'probability', type: 'float32', shape: ['rows', 1] },
    ]) as unknown,
  });
  expect(found.signature?.opsets.map(({ domain }) => domain)).toContain('ai.onnx');
});

test.each([
  ['is no model', Buffer.from('not a model at all'), /not an ONNX model/, false],
  ['is empty', Buffer.alloc(0), /not an ONNX model/, false],
  ['has an unknown operator', encode({ op: 'NoSuchOperator' }), /cannot be loaded/, true],
  [
    'declares a task that does not fit',
    createModel({
      nodes: [identity('x', 'y')],
      inputs: [wide],
      outputs: [value('y', 'float32', ['rows', 4])],
      metadata: { 'slipway.task': 'regression' },
    }),
    /"slipway\.task" cannot be used: y \(float32 \[rows, 4\]\) is not one float a row/,
    false,
  ],
  [
    'fails on a blank row',
    createModel({
      nodes: [cast('x', 'y', 'float32')],
      inputs: [value('x', 'string', ['rows', 1])],
      outputs: [value('y', 'float32', ['rows', 1])],
    }),
    /cannot be run/,
    true,
  ],
  [
    'has only outputs that cannot be returned',
    createModel({
      nodes: [cast('x', 'y', 'int4')],
      inputs: [wide],
      outputs: [value('y', 'int4', ['rows', 4])],
    }),
    /no output that can be answered. It has: y \(int4 \[rows, 4\]\)/,
    true,
  ],
  ['takes doubles', encode({ input: rowsOf('x', 'float64') }), /cannot be loaded/, true],
])('one that %s says so at once, and why', async (_, bytes, why, isRead) => {
  const found = await create(bytes).inspect();
  expect(found.serving).toEqual({ status: 'unservable', reason: expect.stringMatching(why) as string });
  expect(found.signature !== undefined).toBe(isRead);
});

test.each<[string, Uint8Array]>([
  ['has a different output', encode({ output: 'y' })],
  ['takes wide rows', encode({ input: wide })],
  [
    'has several inputs and outputs of any type',
    createModel({
      nodes: [identity('a', 'c'), cast('b', 'd', 'float16')],
      inputs: [value('a', 'bool', ['n', 2, 3]), value('b', 'uint8')],
      outputs: [value('c', 'bool', ['n', 2, 3]), value('d', 'float16')],
    }),
  ],
  [
    'has one output that cannot be returned',
    createModel({
      nodes: [cast('x', 'y', 'int4'), identity('x', 'z')],
      inputs: [wide],
      outputs: [untypedValue('y'), value('z', 'float32', ['rows', 4])],
    }),
  ],
  ['is a classifier of scikit-learn', readSklearnModel('classifier')],
  ['is a classifier of scikit-learn that returns maps', readSklearnModel('classifier-with-zipmap')],
])('one that %s is ready: tensors are scored', async (_, bytes) => {
  expect((await create(bytes).inspect()).serving).toEqual({ status: 'ready' });
});

test.each<[string, Uint8Array, RegExp]>([
  [
    'fails on a tensor of ones in its free dimensions',
    createModel({
      nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'y' }],
      inputs: [value('a', 'float32', ['n', 'k']), value('b', 'float32', [5, 2])],
      outputs: [value('y', 'float32', ['n', 2])],
    }),
    /failed on a blank input\. The model cannot be run: .*MatMul/,
  ],
  [
    'has a fixed input of many elements',
    createModel({
      nodes: [identity('x', 'y')],
      inputs: [value('x', 'float32', [100_000, 101])],
      outputs: [value('y', 'float32', [100_000, 101])],
    }),
    /its inputs are too large for a trial run/,
  ],
])('one that %s was not checked', async (_, bytes, why) => {
  const { serving, signature } = await create(bytes).inspect();
  expect(serving).toEqual({ status: 'notChecked', reason: expect.stringMatching(why) as string });
  expect(signature).toBeDefined();
});

test('does not download a model larger than the session cache', async () => {
  const { inspect, downloads } = create(golden, { maxBytes: 10 });
  expect((await inspect()).serving).toMatchObject({ status: 'unservable' });
  expect(downloads()).toBe(0);
});

test('a model that takes too long, or changes concurrently, is notChecked', async () => {
  const late = await create(golden, { timeoutMs: 1 }).inspect();
  expect(late.serving).toMatchObject({ status: 'notChecked' });
  const changed = await create(golden, { fails: new AppError('PRECONDITION_FAILED', 'changed') }).inspect();
  expect(changed.serving).toMatchObject({ status: 'notChecked' });
});

test('a model that crashes the thread is notChecked', async () => {
  const { inspect } = create(golden, { workerUrl: dyingWorkerUrl() });
  expect((await inspect()).serving).toEqual({
    status: 'notChecked',
    reason: 'The thread that opened it died.',
  });
});

test('a model that blocks the thread is notChecked after the timeout', async () => {
  const { inspect } = create(golden, { workerUrl: dyingWorkerUrl('for (;;) {}'), timeoutMs: 2_000 });
  expect((await inspect()).serving).toEqual({
    status: 'notChecked',
    reason: 'Opening it took longer than 2000 ms.',
  });
});

test('throws an outage, and opens the next model', async () => {
  const { inspect } = create(golden, { fails: new AppError('UNAVAILABLE', 'down') });
  await expect(inspect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(inspect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('opens concurrent requests one after another', async () => {
  const { inspect } = create(golden);
  const found = await Promise.all(Array.from({ length: 5 }, inspect));
  expect(new Set(found.map(({ serving }) => serving.status))).toEqual(new Set(['ready']));
});

describe('weights in other files', () => {
  /** y = x + w, and w is in a file. */
  const keptIn = (location: string, input = rowsOf('x', 'float32')) =>
    encode({
      input,
      nodes: [{ op: 'Add', inputs: ['x', 'w'], output: 'probability' }],
      initializers: [
        [
          ...floatTensor('w', [1], []).slice(0, -1),
          messageField(13, [textField(1, 'location'), textField(2, location)]),
          intField(14, 1),
        ],
      ],
    });
  const weights = { 'w/a.data': new Uint8Array(Float32Array.of(1).buffer) };

  test('are loaded with the model, and its signature is kept', async () => {
    const temporary = createFolder();
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const found = await create(keptIn('w/a.data', wide), { weights }).inspect();
    expect(found.serving).toMatchObject({ reason: expect.stringMatching(/one file/) as string });
    expect(found.signature).toMatchObject({
      inputs: [{ name: 'x', type: 'float32', shape: ['rows', 4] }],
      opsets: [{ domain: 'ai.onnx', version: 15 }],
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test.each<[string, string, Parameters<typeof create>[1], RegExp, boolean]>([
    ['fit rows', 'w/a.data', { weights }, /one file: save it with save_as_external_data=False/, true],
    ['are missing', 'w/a.data', {}, /"w\/a\.data", which is not there/, true],
    [
      'are too many',
      'w/a.data',
      { weights: { 'w/a.data': Buffer.alloc(2000) }, maxBytes: 1000 },
      /more than 1000 bytes.*SLIPWAY_SESSION_CACHE_BYTES/,
      true,
    ],
    ['are cut', 'w/a.data', { weights: { 'w/a.data': new Uint8Array(2) } }, /cannot be loaded/, true],
    ['are the model', 'model.onnx', {}, /cannot keep weights in "model\.onnx"/, true],
    ['are elsewhere', '../n/a.data', {}, /not the path of a file in its folder/, false],
  ])('when they %s, the version says so', async (_, location, options, why, isRead) => {
    const found = await create(keptIn(location), options).inspect();
    expect(found.serving).toEqual({ status: 'unservable', reason: expect.stringMatching(why) as string });
    expect(found.signature !== undefined).toBe(isRead);
  });
});
