import type { Classes } from '../../../domains/serving/tasks/task.ts';
import { integersOf, messagesOf, readFields } from './protobuf-reader.ts';

/** The attributes that list classes: of linear, tree and SVM classifiers, and of ZipMap. */
const integerLists = new Set(['classlabels_ints', 'classlabels_int64s']);
const textLists = new Set(['classlabels_strings']);

/**
 * The classes of a model's classifier nodes, in the order of their scores.
 *
 * @param graph A GraphProto.
 * @returns Null when its nodes list no classes, or not all the same.
 * @see https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html
 */
export function readClasses(graph: Uint8Array): Classes | null {
  let found: Classes | undefined;
  for (const node of messagesOf(graph, 1))
    for (const attribute of messagesOf(node, 5)) {
      const classes = readList(attribute);
      if (classes === undefined || classes.length === 0) continue;
      if (found !== undefined && !areEqual(found, classes)) return null;
      found = classes;
    }
  return found ?? null;
}

function readList(attribute: Uint8Array): Classes | undefined {
  const name = nameOf(attribute);
  if (integerLists.has(name)) {
    const values = [...integersOf(attribute, 8)];
    return values.every(Number.isSafeInteger) ? values : undefined;
  }
  if (!textLists.has(name)) return undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return Array.from(messagesOf(attribute, 9), (text) => decoder.decode(text));
}

/** Stops at the name, which comes first: the values of a tree ensemble can be a million fields. */
function nameOf(attribute: Uint8Array): string {
  for (const { number, value } of readFields(attribute))
    if (number === 1 && typeof value !== 'number') return new TextDecoder().decode(value);
  return '';
}

function areEqual(a: Classes, b: Classes): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
