import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

/** MLflow's names and argument names belong to one room; all other code uses Slipway's own terms. */
const room = 'shared/api/mlflow/';
const exempt: Readonly<Record<string, string>> = {
  'shared/core/names/mlflow-names.ts': 'names what MLflow’s clients look up in stored data',
  'shared/domains/webhooks/': 'the events, payloads and headers of webhooks are MLflow’s protocol',
};
const rooms = ['functions', 'shared/api', 'shared/core', 'shared/domains', 'shared/platform'];

const files = rooms.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const snakeCase = /^[a-z]+(?:_[a-z]+)+$/;

/** Texts and member names of a source, without comments and imports. */
function readWords(source: string): readonly string[] {
  const words: string[] = [];
  const imported = new Set<number>();
  const { program } = parseSync('source.ts', source);
  const key = (node: {
    readonly key: { readonly type: string; readonly start: number; readonly end: number };
  }) => {
    if (node.key.type === 'Identifier') words.push(source.slice(node.key.start, node.key.end));
  };
  new Visitor({
    ImportDeclaration: (node) => void imported.add(node.source.start),
    Property: key,
    TSPropertySignature: key,
    PropertyDefinition: key,
    MemberExpression: (node) => {
      if (node.property.type === 'Identifier') words.push(node.property.name);
    },
    Literal: (node) => {
      if (typeof node.value === 'string' && !imported.has(node.start)) words.push(node.value);
    },
    TemplateElement: (node) => void words.push(node.value.raw),
  }).visit(program);
  return words;
}

const isIn = (file: string, place: string) =>
  file === place || (place.endsWith('/') && file.startsWith(place));
const argumentNames = new Set(
  files
    .filter((file) => file.startsWith(room))
    .flatMap((file) => readWords(readFileSync(file, 'utf8')))
    .filter((word) => snakeCase.test(word)),
);

function findForeign(source: string): readonly string[] {
  return readWords(source).flatMap((text) => {
    const names = text.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [];
    const found = names.filter((name) => argumentNames.has(name));
    return /mlflow/i.test(text) ? [...found, text] : found;
  });
}

test('no other room contains MLflow’s names or argument names', () => {
  const others = files.filter(
    (file) => !file.startsWith(room) && !Object.keys(exempt).some((place) => isIn(file, place)),
  );
  const found = others.flatMap((file) =>
    findForeign(readFileSync(file, 'utf8')).map((text) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
});

test('the rule knows MLflow’s argument names, and finds them', () => {
  expect([...argumentNames]).toEqual(
    expect.arrayContaining(['run_id', 'order_by', 'max_results', 'page_token']),
  );
  expect(findForeign("const a = { run_id: 1 }; throw new Error('order_by is wrong');")).toEqual([
    'run_id',
    'order_by',
  ]);
  expect(findForeign('const tag = `mlflow.user`; // mlflow')).toEqual(['mlflow.user']);
  expect(findForeign("import { x } from '../mlflow/x.ts';\n/* run_id */ x.runId;")).toEqual([]);
});

test('each exemption is needed', () => {
  const unneeded = Object.keys(exempt).filter((place) =>
    files
      .filter((file) => isIn(file, place))
      .every((file) => findForeign(readFileSync(file, 'utf8')).length === 0),
  );
  expect(unneeded).toEqual([]);
});
