import { canonicalJson, type JsonValue } from '../../../core/json/json.ts';
import type { Signature } from '../../../domains/serving/signature.ts';
import type { ModelTask } from '../../../domains/serving/tasks/catalog.ts';
import type { TrainedModel } from '../../../domains/training/entities.ts';
import { encodeModel, type Graph } from './onnx-proto.ts';
import type { Bytes } from './protobuf-writer.ts';
import { readModel, signatureKey, taskKey } from './read-model.ts';
import { buildLogisticGraph } from './write-logistic.ts';

/** From ai.onnx.ml 4 on, LabelEncoder takes tensors, and so float64 weights. Runtimes since 2023 read these. */
const opsets = [
  { domain: '', version: 17 },
  { domain: 'ai.onnx.ml', version: 4 },
];
const irVersion = 8;

/** How one kind of model becomes a graph, and what its outputs mean. */
interface ModelWriter<Model> {
  readonly buildGraph: (model: Model, signature: Signature) => Graph;
  readonly describeTask: (model: Model) => ModelTask;
}

/** One line for each kind of model. */
const writers: {
  readonly [Kind in TrainedModel['kind']]: ModelWriter<Extract<TrainedModel, { kind: Kind }>>;
} = {
  logistic: {
    buildGraph: buildLogisticGraph,
    describeTask: () => ({ task: 'binary', probability: 'probability' }),
  },
};

/**
 * A trained model as an ONNX file. Equal arguments give equal bytes: they do not depend on the time, the machine or the
 * order of object keys.
 *
 * @param signature How rows become its inputs; it is written into the file beside `metadata`. The task is written too,
 *   unless a reader infers it from the outputs.
 * @param metadata Facts to keep with the model, such as the versions of the dataset and of the code.
 */
export function writeModel(
  model: TrainedModel,
  signature: Signature,
  metadata: Readonly<Record<string, string>>,
): Bytes {
  const { buildGraph, describeTask } = writers[model.kind];
  const graph = buildGraph(model, signature);
  return encodeWithTask(describeTask(model), (taskMetadata) =>
    encodeModel({
      graph,
      opsets,
      irVersion,
      metadata: { ...metadata, ...taskMetadata, [signatureKey]: toText(signature) },
    }),
  );
}

/**
 * Encodes a model so that its file says its task: in the metadata, unless a reader infers it from the outputs.
 *
 * @param encode Gets the metadata to add.
 */
export function encodeWithTask(
  task: ModelTask,
  encode: (metadata: Readonly<Record<string, string>>) => Bytes,
): Bytes {
  const bytes = encode({});
  const declaration = toText(task);
  return toText(readModel(bytes).task) === declaration ? bytes : encode({ [taskKey]: declaration });
}

function toText(value: object): string {
  return canonicalJson(JSON.parse(JSON.stringify(value)) as JsonValue);
}
