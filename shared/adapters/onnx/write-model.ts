import { canonicalJson } from '../../core/json.ts';
import type { Signature } from '../../domains/serving/signature.ts';
import type { TrainedModel } from '../../domains/training/entities.ts';
import { encodeModel, type Graph } from './onnx-proto.ts';
import type { Bytes } from './protobuf-writer.ts';
import { signatureKey } from './read-model.ts';
import { buildLogisticGraph } from './write-logistic.ts';

/** LabelEncoder takes tensors, and so float64 weights, from ai.onnx.ml 4 on; runtimes since 2023 read these. */
const opsets = [
  { domain: '', version: 17 },
  { domain: 'ai.onnx.ml', version: 4 },
];
const irVersion = 8;

/** One line for each kind of model. */
const graphBuilders = {
  logistic: buildLogisticGraph,
} as const satisfies {
  [Kind in TrainedModel['kind']]: (
    model: Extract<TrainedModel, { kind: Kind }>,
    signature: Signature,
  ) => Graph;
};

/**
 * A trained model as an ONNX file. Equal arguments give equal bytes: nothing of the time, the machine or the order
 * of object keys enters.
 *
 * @param signature What the model asks of a request; it is written into the file beside `metadata`.
 * @param metadata Facts to keep with the model, such as the versions of the dataset and of the code.
 */
export function writeModel(
  model: TrainedModel,
  signature: Signature,
  metadata: Readonly<Record<string, string>>,
): Bytes {
  return encodeModel({
    graph: graphBuilders[model.kind](model, signature),
    opsets,
    irVersion,
    metadata: { ...metadata, [signatureKey]: canonicalJson(JSON.parse(JSON.stringify(signature))) },
  });
}
