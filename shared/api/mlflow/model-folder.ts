import { artifactScheme } from '../../core/names/mlflow-names.ts';
import { blobContainers } from '../../core/names/resources.ts';
import type { ModelSignature } from '../../domains/registry/entities.ts';
import type { StoredModel } from '../../domains/registry/registration.ts';
import type { BlobReader, BlobRef, BlobWriter } from '../../platform/storage/blobs.ts';
import { putOnce } from '../../platform/storage/put-once.ts';

/*
 * The directory that MLflow's clients load a model from. Its name and content depend only on the model's bytes, which
 * makes writing it idempotent. Ids of experiments do not begin with an underscore, so no path collides.
 *
 * @see https://mlflow.org/docs/latest/ml/model/#storage-format
 */

const fileName = 'model.onnx';

function modelFolder(sha256: string): BlobRef {
  return { container: blobContainers.artifacts, name: `_registry/${sha256}` };
}

/** @returns the URI of the directory */
export async function writeModelFolder(blobs: BlobReader & BlobWriter, model: StoredModel): Promise<string> {
  const folder = modelFolder(model.sha256);
  const at = (name: string): BlobRef => ({ ...folder, name: `${folder.name}/${name}` });
  if ((await blobs.head(at(fileName))) === undefined) {
    const { body } = await blobs.open(model.from);
    await putOnce(blobs, at(fileName), body, 'application/octet-stream');
  }
  await putOnce(blobs, at('requirements.txt'), requirements, 'text/plain');
  // Last, because clients look for it first.
  await putOnce(blobs, at('MLmodel'), describe(model), 'text/plain');
  return `${artifactScheme}:/${folder.name}`;
}

const requirements = 'mlflow\nnumpy\nonnx\nonnxruntime\n';

/** Writes YAML; JSON strings are YAML, too. */
function describe({ sha256, sizeBytes, signature }: StoredModel): string {
  const lines = [
    'flavors:',
    '  onnx:',
    '    code: null',
    `    data: ${fileName}`,
    '    onnx_version: 1.18.0',
    '    providers:',
    '    - CPUExecutionProvider',
    '  python_function:',
    `    data: ${fileName}`,
    '    env:',
    '      virtualenv: null',
    '    loader_module: mlflow.onnx',
    `model_size_bytes: ${sizeBytes}`,
    `model_uuid: ${sha256.slice(0, 32)}`,
  ];
  const inputs = toSchema(signature?.inputs);
  const outputs = toSchema(signature?.outputs);
  if (inputs !== undefined && outputs !== undefined)
    lines.push(
      'signature:',
      `  inputs: ${JSON.stringify(inputs)}`,
      `  outputs: ${JSON.stringify(outputs)}`,
      '  params: null',
    );
  return `${lines.join('\n')}\n`;
}

/** Numpy's names. */
const dtypes: Readonly<Record<string, string>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  int64: 'int64',
  bool: 'bool',
  string: 'str',
};

/** @returns undefined for a type that MLflow's schemas do not have */
function toSchema(values: ModelSignature['inputs'] | undefined): string | undefined {
  if (values === undefined || values.some(({ type }) => !Object.hasOwn(dtypes, type))) return undefined;
  return JSON.stringify(
    values.map(({ name, type, shape }) => ({
      name,
      type: 'tensor',
      'tensor-spec': {
        dtype: dtypes[type],
        shape: shape.map((size) => (typeof size === 'number' && size > 0 ? size : -1)),
      },
    })),
  );
}
