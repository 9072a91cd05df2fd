import { blobContainers } from '../../core/names.ts';
import type { BlobRef, BlobStore } from '../../platform/storage/blobs.ts';
import { putOnce } from '../../platform/storage/put-once.ts';
import type { ModelSignature } from './entities.ts';

/*
 * The directory that MLflow's clients load a model from. Its name and everything in it follow from the model's bytes,
 * so writing it again changes nothing. No experiment's id begins with an underscore.
 *
 * @see https://mlflow.org/docs/latest/ml/model/#storage-format
 */

const fileName = 'model.onnx';

/** The folder of a model, in the container of artifacts. */
export function modelFolder(sha256: string): BlobRef {
  return { container: blobContainers.artifacts, name: `_registry/${sha256}` };
}

/** @returns the URI of the directory */
export async function writeModelFolder(
  blobs: BlobStore,
  model: {
    /** Where the bytes are. */
    readonly from: BlobRef;
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly signature: ModelSignature | undefined;
  },
): Promise<string> {
  const folder = modelFolder(model.sha256);
  const at = (name: string): BlobRef => ({ ...folder, name: `${folder.name}/${name}` });
  if ((await blobs.head(at(fileName))) === undefined) {
    const { body } = await blobs.open(model.from);
    await putOnce(blobs, at(fileName), body, 'application/octet-stream');
  }
  await putOnce(blobs, at('requirements.txt'), requirements, 'text/plain');
  // Last: who finds it finds the rest.
  await putOnce(blobs, at('MLmodel'), describe(model), 'text/plain');
  return `mlflow-artifacts:/${folder.name}`;
}

const requirements = 'mlflow\nnumpy\nonnx\nonnxruntime\n';

/** YAML; JSON's strings are YAML's, too. */
function describe({
  sha256,
  sizeBytes,
  signature,
}: {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly signature: ModelSignature | undefined;
}): string {
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

/** @returns undefined when a value is of a type that MLflow's schemas cannot say */
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
