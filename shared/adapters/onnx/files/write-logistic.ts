import type { Signature } from '../../../domains/serving/signature.ts';
import type { LogisticModel } from '../../../domains/training/entities.ts';
import { buildTermSum } from './linear-terms.ts';
import { cast, doubleTensor, floatTensor, rowsOf, type Graph } from './onnx-proto.ts';

/**
 * The graph of a logistic model (its terms: see `buildTermSum`):
 *
 *   probability = Sigmoid(Σ terms + intercept),  label = probability >= 0.5
 *
 * Everything between the inputs and the output is float64 and works element by element. So the only rounding that
 * differs from the trainer's is that of Sigmoid's last bit in float64, which the final cast to float32 hides in all but
 * one row in about 10⁸; and a row's result cannot depend on the other rows of a batch.
 */
export function buildLogisticGraph(model: LogisticModel, signature: Signature): Graph {
  const sum = buildTermSum(model.terms);
  return {
    name: 'logistic',
    nodes: [
      ...sum.nodes,
      { op: 'Add', inputs: [sum.output, '/intercept'], output: '/log-odds' },
      { op: 'Sigmoid', inputs: ['/log-odds'], output: '/sigmoid' },
      cast('/sigmoid', 'probability', 'float32'),
      { op: 'GreaterOrEqual', inputs: ['probability', '/threshold'], output: '/is-positive' },
      cast('/is-positive', 'label', 'int64'),
    ],
    initializers: [
      ...sum.initializers,
      doubleTensor('/intercept', [1], [model.intercept]),
      floatTensor('/threshold', [1], [0.5]),
    ],
    inputs: signature.inputs.map(({ name, tensor }) => rowsOf(name, tensor)),
    outputs: [rowsOf('probability', 'float32'), rowsOf('label', 'int64')],
  };
}
