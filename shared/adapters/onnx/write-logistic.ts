import type { Signature } from '../../domains/serving/signature.ts';
import type { LogisticModel, LinearTerm } from '../../domains/training/entities.ts';
import {
  doubleTensor,
  elementTypes,
  floatTensor,
  int64Tensor,
  intAttribute,
  rowsOf,
  stringTensor,
  tensorAttribute,
  type Graph,
  type Node,
} from './onnx-proto.ts';

/**
 * The graph of a logistic model:
 *
 *   probability = Sigmoid(Σ terms + intercept),  label = probability >= 0.5
 *
 * A one-hot encoding times its weights is a look-up, and is written as one: a LabelEncoder from category to
 * weight, 0 for a category it does not know. A number is Where(IsNaN(x), missing, (x - centre) * weight).
 *
 * Everything between the inputs and the output is float64 and works element by element. So the only rounding that
 * differs from the trainer's is that of Sigmoid's last bit in float64, which the final cast to float32 swallows
 * but for one row in about 10⁸; and a row's result cannot depend on the rows beside it.
 *
 * The names of inner values begin with "/", which no feature's name may.
 */
export function buildLogisticGraph(model: LogisticModel, signature: Signature): Graph {
  const terms = model.terms.map((term, index) => buildTerm(term, `/${index}`));
  const sum = terms.map(({ output }) => output);
  return {
    name: 'logistic',
    nodes: [
      ...terms.flatMap(({ nodes }) => nodes),
      { op: 'Sum', inputs: sum, output: '/sum' },
      { op: 'Add', inputs: ['/sum', '/intercept'], output: '/log-odds' },
      { op: 'Sigmoid', inputs: ['/log-odds'], output: '/sigmoid' },
      cast('/sigmoid', 'probability', 'float32'),
      { op: 'GreaterOrEqual', inputs: ['probability', '/threshold'], output: '/is-positive' },
      cast('/is-positive', 'label', 'int64'),
    ],
    initializers: [
      ...terms.flatMap(({ initializers }) => initializers),
      doubleTensor('/intercept', [1], [model.intercept]),
      floatTensor('/threshold', [1], [0.5]),
    ],
    inputs: signature.inputs.map(({ name, tensor }) => rowsOf(name, tensor)),
    outputs: [rowsOf('probability', 'float32'), rowsOf('label', 'int64')],
  };
}

interface Part {
  readonly nodes: readonly Node[];
  readonly initializers: Graph['initializers'];
  readonly output: string;
}

function buildTerm(term: LinearTerm, prefix: string): Part {
  return term.kind === 'numeric' ? buildNumeric(term, prefix) : buildCategorical(term, prefix);
}

function buildNumeric(term: Extract<LinearTerm, { kind: 'numeric' }>, prefix: string): Part {
  const at = (name: string) => `${prefix}/${name}`;
  return {
    nodes: [
      cast(term.name, at('x'), 'float64'),
      { op: 'IsNaN', inputs: [at('x')], output: at('is-missing') },
      { op: 'Sub', inputs: [at('x'), at('centre')], output: at('centred') },
      { op: 'Mul', inputs: [at('centred'), at('weight')], output: at('weighted') },
      { op: 'Where', inputs: [at('is-missing'), at('missing'), at('weighted')], output: at('term') },
    ],
    initializers: [
      doubleTensor(at('centre'), [1], [term.centre]),
      doubleTensor(at('weight'), [1], [term.weight]),
      doubleTensor(at('missing'), [1], [term.missing]),
    ],
    output: at('term'),
  };
}

function buildCategorical(term: Extract<LinearTerm, { kind: 'categorical' }>, prefix: string): Part {
  const { keys, weights } = term;
  const dims = [weights.length];
  const keyTensor =
    keys.type === 'string' ? stringTensor('keys', dims, keys.values) : int64Tensor('keys', dims, keys.values);
  const output = `${prefix}/term`;
  return {
    nodes: [
      {
        op: 'LabelEncoder',
        domain: 'ai.onnx.ml',
        inputs: [term.name],
        output,
        attributes: [
          tensorAttribute('keys_tensor', keyTensor),
          tensorAttribute('values_tensor', doubleTensor('values', dims, weights)),
          tensorAttribute('default_tensor', doubleTensor('default', [1], [0])),
        ],
      },
    ],
    initializers: [],
    output,
  };
}

function cast(input: string, output: string, to: keyof typeof elementTypes): Node {
  return { op: 'Cast', inputs: [input], output, attributes: [intAttribute('to', elementTypes[to])] };
}
