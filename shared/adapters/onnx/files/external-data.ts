import { posix } from 'node:path';
import { AppError } from '../../../core/errors.ts';
import { messagesOf, readFields, textOf } from './protobuf-reader.ts';

/** A model with one file a tensor has hundreds. */
const maxFiles = 1_000;
/** Graphs nest in attributes, which nest in nodes; deeper than this is an attack. */
const maxDepth = 32;

type Found = Set<string>;

/**
 * The files that a model keeps weights in, wherever its tensors are: paths from the model's folder, all below it.
 *
 * @throws UNPROCESSABLE when one leads elsewhere, or could be more than a plain file's name: the runtime takes
 *   some locations that begin with an asterisk for addresses in its memory. RangeError when it is not an ONNX model
 * @see https://onnx.ai/onnx/repo-docs/ExternalData.html
 */
export function readWeightFiles(model: Uint8Array): readonly string[] {
  const found: Found = new Set();
  for (const graph of messagesOf(model, 7)) readGraph(graph, 0, found);
  for (const fn of messagesOf(model, 25)) {
    for (const node of messagesOf(fn, 7)) readNode(node, 0, found);
    // The defaults of its attributes.
    for (const attribute of messagesOf(fn, 11)) readAttribute(attribute, 0, found);
  }
  return [...found];
}

export function refuseWeightFiles(): AppError {
  return refuse(
    'It keeps weights in other files, and models are served from one file: save it with save_as_external_data=False.',
  );
}

function refuse(reason: string): AppError {
  return new AppError('UNPROCESSABLE', reason);
}

function readGraph(graph: Uint8Array, depth: number, found: Found): void {
  if (depth > maxDepth) throw new RangeError('its graphs nest too deeply');
  for (const { number, value } of readFields(graph)) {
    if (typeof value === 'number') continue;
    if (number === 1) readNode(value, depth, found);
    else if (number === 5) readTensor(value, found);
    else if (number === 15) readSparseTensor(value, found);
  }
}

function readNode(node: Uint8Array, depth: number, found: Found): void {
  for (const attribute of messagesOf(node, 5)) readAttribute(attribute, depth, found);
}

function readAttribute(attribute: Uint8Array, depth: number, found: Found): void {
  for (const { number, value } of readFields(attribute)) {
    if (typeof value === 'number') continue;
    if (number === 5 || number === 10) readTensor(value, found);
    else if (number === 6 || number === 11) readGraph(value, depth + 1, found);
    else if (number === 22 || number === 23) readSparseTensor(value, found);
  }
}

/** Its values and their indices are tensors. */
function readSparseTensor(sparse: Uint8Array, found: Found): void {
  for (const part of [1, 2]) for (const tensor of messagesOf(sparse, part)) readTensor(tensor, found);
}

function readTensor(tensor: Uint8Array, found: Found): void {
  let isElsewhere = false;
  let isNamed = false;
  for (const { number, value } of readFields(tensor)) {
    if (number === 14 && typeof value === 'number') isElsewhere ||= value !== 0;
    if (number !== 13 || typeof value === 'number') continue;
    isElsewhere = true;
    if (textOf(value, 1) !== 'location') continue;
    isNamed = true;
    found.add(checkLocation(textOf(value, 2)));
    if (found.size > maxFiles) throw refuse(`It keeps weights in more than ${maxFiles} files.`);
  }
  if (isElsewhere && !isNamed) throw refuse('It keeps weights in another file and does not name it.');
}

function checkLocation(location: string): string {
  const path = posix.normalize(location);
  const isPlain =
    // oxlint-disable-next-line no-control-regex -- they are what is refused
    !/[\u0000-\u001f\u007f<>:"|?*\\]/.test(location) &&
    location.length <= 1_000 &&
    !/(^|\/)\.\.(\/|$)/.test(location) &&
    !/^\/|\/$/.test(path) &&
    path !== '.' &&
    path.split('/').every((name) => Buffer.byteLength(name) <= 255);
  if (!isPlain)
    throw refuse(
      `It keeps weights in ${JSON.stringify(location.slice(0, 200))}, which is not the path of a file in its folder.`,
    );
  return path;
}
