/**
 * A rule for code whose results must have the same bits on every machine: model bytes, hashes, chunks and recorded metrics
 * follow from them. ECMAScript leaves the results of `Math.exp`, `Math.log`, `Math.pow` and the like
 * "implementation-approximated", so only the members of `Math` that it defines exactly may be used.
 *
 * @see https://tc39.es/ecma262/#sec-function-properties-of-the-math-object
 */
const exactFunctions = [
  'abs',
  'ceil',
  'clz32',
  'floor',
  'fround',
  'imul',
  'max',
  'min',
  'round',
  'sign',
  'sqrt',
  'trunc',
];
const constants = ['E', 'LN10', 'LN2', 'LOG10E', 'LOG2E', 'PI', 'SQRT1_2', 'SQRT2'];
const allowed = new Set([...exactFunctions, ...constants]);

/** As much of oxlint's rule API and of ESTree as the rule reads. */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly bigint?: string;
  readonly operator?: string;
  readonly computed?: boolean;
  readonly object?: Node;
  readonly property?: Node;
  readonly key?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly argument?: Node;
  readonly parent?: Node;
}
interface Context {
  report(problem: { readonly node: Node; readonly message: string }): void;
}

const remedy = 'use shared/core/stats/{exp,log,floor-log2,power-of-two,…}.ts';

function createExactMath(context: Context) {
  const checkPower = (node: Node) => {
    if (node.operator !== '**' && node.operator !== '**=') return;
    const isExact =
      isBigInt(node.left) || (node.operator === '**' && isInteger(node.left) && isInteger(node.right));
    if (!isExact)
      context.report({
        node,
        message: `** is inexact unless both sides are integer literals or the left one is a BigInt: ${remedy}`,
      });
  };
  return {
    Identifier(node: Node) {
      const { parent } = node;
      if (node.name !== 'Math' || isPropertyName(node)) return;
      if (parent?.type !== 'MemberExpression' || parent.object !== node) {
        context.report({
          node,
          message: 'Name the members of Math that you use, so that they can be checked',
        });
        return;
      }
      const member = nameOf(parent);
      if (member === undefined || !allowed.has(member))
        context.report({
          node: parent,
          message: `Math.${member ?? '[…]'} differs between machines: ${remedy}`,
        });
    },
    BinaryExpression: checkPower,
    AssignmentExpression: checkPower,
  };
}

function nameOf({ computed, property }: Node): string | undefined {
  if (computed !== true) return property?.name;
  return typeof property?.value === 'string' ? property.value : undefined;
}

function isPropertyName(node: Node): boolean {
  const { parent } = node;
  if (parent === undefined || parent.computed === true) return false;
  if (parent.object?.name === 'globalThis') return false;
  return parent.property === node || parent.key === node;
}

/** A literal such as `2`, `-1074` or `10n`. */
function isInteger(node: Node | undefined): boolean {
  if (node?.type === 'UnaryExpression' && node.operator === '-') return isInteger(node.argument);
  return node?.type === 'Literal' && (Number.isInteger(node.value) || typeof node.value === 'bigint');
}

/** A literal such as `10n`. The other side of `**` is a BigInt then, and the result exact. */
function isBigInt(node: Node | undefined): boolean {
  return node?.type === 'Literal' && typeof node.value === 'bigint';
}

export default {
  meta: { name: 'slipway' },
  rules: { 'exact-math': { create: createExactMath } },
};
