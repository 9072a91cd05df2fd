import type { LinearTerm } from '../../../domains/training/entities.ts';
import {
  cast,
  doubleTensor,
  int64Tensor,
  stringTensor,
  tensorAttribute,
  type Graph,
  type Node,
} from './onnx-proto.ts';

/** A part of a graph. The names of inner values begin with "/", which no feature's name may. */
export interface GraphPart {
  readonly nodes: readonly Node[];
  readonly initializers: Graph['initializers'];
  /** The value that it computes: float64, [rows, 1]. */
  readonly output: string;
}

/**
 * The sum of a model's terms, `/sum`, in their order. The product of a one-hot encoding and its weights is a look-up:
 * a LabelEncoder from category to weight, and 0 for an unknown category. A number is
 * Where(IsNaN(x), missing, (x - centre) * weight).
 */
export function buildTermSum(terms: readonly LinearTerm[]): GraphPart {
  const parts = terms.map((term, index) => buildTerm(term, `/${index}`));
  const sum: Node = { op: 'Sum', inputs: parts.map(({ output }) => output), output: '/sum' };
  return {
    nodes: [...parts.flatMap(({ nodes }) => nodes), sum],
    initializers: parts.flatMap(({ initializers }) => initializers),
    output: sum.output,
  };
}

function buildTerm(term: LinearTerm, prefix: string): GraphPart {
  return term.kind === 'numeric' ? buildNumeric(term, prefix) : buildCategorical(term, prefix);
}

function buildNumeric(term: Extract<LinearTerm, { kind: 'numeric' }>, prefix: string): GraphPart {
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

function buildCategorical(term: Extract<LinearTerm, { kind: 'categorical' }>, prefix: string): GraphPart {
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
