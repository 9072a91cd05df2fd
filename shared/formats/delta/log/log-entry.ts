import { createCountingYielder, yieldToEventLoop } from '../../../core/async/yielder.ts';
import { AppError, isAppError } from '../../../core/errors.ts';
import { isArray, type JsonObject, type JsonValue } from '../../../core/json/json.ts';
import { isJsonObject } from '../../../core/json/member-at.ts';
import type { Action, AddFile, Metadata, Protocol, RemoveFile, Transaction } from './actions.ts';
import { decodePath, encodePath } from './file-path.ts';

/** A few milliseconds of work. */
const actionsPerTurn = 250;

/**
 * Encodes one line of a log entry, without its line end.
 *
 * @throws INVALID_ARGUMENT for an invalid path
 * @example
 * encodeAction({ kind: 'txn', transaction: { appId: 'a', version: 3 } }) // '{"txn":{"appId":"a","version":3}}'
 */
export function encodeAction(action: Action): string {
  switch (action.kind) {
    case 'commitInfo':
      return JSON.stringify({ commitInfo: action.info });
    case 'protocol':
      return JSON.stringify({ protocol: action.protocol });
    case 'metaData':
      return JSON.stringify({ metaData: action.metadata });
    case 'txn':
      return JSON.stringify({ txn: action.transaction });
    case 'add': {
      const { path, partitionValues = {}, ...others } = action.file;
      return JSON.stringify({ add: { path: encodePath(path), partitionValues, ...others } });
    }
    case 'remove': {
      const { path, deletionTimestamp, dataChange, partitionValues = {}, size, tags } = action.file;
      const remove = {
        path: encodePath(path),
        deletionTimestamp,
        dataChange,
        // Announces the members after it.
        extendedFileMetadata: size !== undefined,
        partitionValues,
        size,
        tags,
      };
      return JSON.stringify({ remove });
    }
  }
}

/** Encodes an entry, and yields to the event loop. @throws INVALID_ARGUMENT as `encodeAction` */
export async function encodeEntry(actions: readonly Action[]): Promise<Uint8Array> {
  const blocks: Buffer[] = [];
  for (let at = 0; at < actions.length; at += actionsPerTurn) {
    if (at > 0) await yieldToEventLoop();
    const lines = actions.slice(at, at + actionsPerTurn).map((action) => `${encodeAction(action)}\n`);
    blocks.push(Buffer.from(lines.join('')));
  }
  return Buffer.concat(blocks);
}

/**
 * @returns undefined for an unknown kind of action
 * @throws UNPROCESSABLE saying what is wrong
 * @example
 * parseAction('{"txn":{"appId":"a","version":3,"lastUpdated":null}}') // { kind: 'txn', transaction: { appId: 'a', version: 3 } }
 */
export function parseAction(line: string): Action | undefined {
  let entry: JsonValue;
  try {
    entry = JSON.parse(line) as JsonValue;
  } catch (error) {
    throw wrong('a line is not JSON', error);
  }
  if (!isJsonObject(entry)) throw wrong('a line is not an object');
  return toAction(entry);
}

/** @throws UNPROCESSABLE naming the line */
export async function* parseEntry(body: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Action> {
  const yieldIfDue = createCountingYielder(actionsPerTurn);
  let number = 0;
  for await (const line of splitLines(body)) {
    number += 1;
    // Buffered lines do not yield to the event loop.
    const turn = yieldIfDue(1);
    if (turn) await turn;
    if (line.trim() === '') continue;
    try {
      const action = parseAction(line);
      if (action) yield action;
    } catch (error) {
      if (!isAppError(error, 'UNPROCESSABLE')) throw error;
      throw new AppError('UNPROCESSABLE', `${what}, line ${number}: ${error.message}`, {}, error);
    }
  }
}

async function* splitLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const bytes of body) {
    const pieces = decoder.decode(bytes, { stream: true }).split('\n');
    const rest = pieces.pop() ?? '';
    if (pieces.length > 0) {
      pieces[0] = parts.splice(0).join('') + pieces[0];
      yield* pieces;
    }
    parts.push(rest);
  }
  yield parts.join('') + decoder.decode();
}

function toAction(entry: JsonObject): Action | undefined {
  for (const [kind, value] of Object.entries(entry)) {
    if (value === null || !isJsonObject(value)) continue;
    switch (kind) {
      case 'commitInfo':
        return { kind, info: value };
      case 'protocol':
        return { kind, protocol: toProtocol(value) };
      case 'metaData':
        return { kind, metadata: toMetadata(value) };
      case 'txn':
        return { kind, transaction: toTransaction(value) };
      case 'add':
        return { kind, file: toAddFile(value) };
      case 'remove':
        return { kind, file: toRemoveFile(value) };
    }
  }
  return undefined;
}

function toProtocol(value: JsonObject): Protocol {
  return compact({
    minReaderVersion: need(value, 'minReaderVersion', isNumber),
    minWriterVersion: need(value, 'minWriterVersion', isNumber),
    readerFeatures: find(value, 'readerFeatures', isTexts),
    writerFeatures: find(value, 'writerFeatures', isTexts),
  });
}

function toMetadata(value: JsonObject): Metadata {
  const format = find(value, 'format', isJsonObject) ?? { provider: 'parquet' };
  return compact({
    id: need(value, 'id', isText),
    name: find(value, 'name', isText),
    description: find(value, 'description', isText),
    format: {
      provider: need(format, 'provider', isText),
      options: find(format, 'options', isTextMap) ?? {},
    },
    schemaString: need(value, 'schemaString', isText),
    partitionColumns: find(value, 'partitionColumns', isTexts) ?? [],
    configuration: find(value, 'configuration', isTextMap) ?? {},
    createdTime: find(value, 'createdTime', isNumber),
  });
}

function toTransaction(value: JsonObject): Transaction {
  return compact({
    appId: need(value, 'appId', isText),
    version: need(value, 'version', isNumber),
    lastUpdated: find(value, 'lastUpdated', isNumber),
  });
}

function toAddFile(value: JsonObject): AddFile {
  return compact({
    path: decodePath(need(value, 'path', isText)),
    partitionValues: findValues(value),
    size: need(value, 'size', isNumber),
    modificationTime: need(value, 'modificationTime', isNumber),
    dataChange: need(value, 'dataChange', isFlag),
    stats: find(value, 'stats', isText),
    tags: find(value, 'tags', isNullableTextMap),
  });
}

function toRemoveFile(value: JsonObject): RemoveFile {
  return compact({
    path: decodePath(need(value, 'path', isText)),
    deletionTimestamp: find(value, 'deletionTimestamp', isNumber),
    dataChange: find(value, 'dataChange', isFlag) ?? true,
    partitionValues: findValues(value),
    size: find(value, 'size', isNumber),
    tags: find(value, 'tags', isNullableTextMap),
  });
}

function findValues(value: JsonObject) {
  const values = find(value, 'partitionValues', isNullableTextMap);
  return values && Object.keys(values).length > 0 ? values : undefined;
}

type Is<T extends JsonValue> = (value: JsonValue) => value is T;

const isText = (value: JsonValue): value is string => typeof value === 'string';
const isNumber = (value: JsonValue): value is number => typeof value === 'number';
const isFlag = (value: JsonValue): value is boolean => typeof value === 'boolean';
const isTexts = (value: JsonValue): value is readonly string[] => isArray(value) && value.every(isText);
const isTextMap = (value: JsonValue): value is Record<string, string> =>
  isJsonObject(value) && Object.values(value).every(isText);
const isNullableTextMap = (value: JsonValue): value is Record<string, string | null> =>
  isJsonObject(value) && Object.values(value).every((member) => member === null || isText(member));

function need<T extends JsonValue>(value: JsonObject, name: string, is: Is<T>): T {
  const found = find(value, name, is);
  if (found === undefined) throw wrong(`"${name}" is missing`);
  return found;
}

/** Treats null as missing. */
function find<T extends JsonValue>(value: JsonObject, name: string, is: Is<T>): T | undefined {
  const member = Object.hasOwn(value, name) ? value[name] : undefined;
  if (member === undefined || member === null) return undefined;
  if (!is(member)) throw wrong(`"${name}" is invalid`);
  return member;
}

type Compact<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Compact<T>;
}

function wrong(what: string, cause?: unknown): AppError {
  return new AppError('UNPROCESSABLE', `The Delta log cannot be read: ${what}.`, {}, cause);
}
