import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';
import { readModule } from './support/read-module.ts';

/** The allowed imports: the table in the README is complete. */
const law = readTable(readFileSync('README.md', 'utf8'));

/** The layers of rooms, from the lowest up: the table in docs/architecture.md. */
const layered = readTable(readFileSync('docs/architecture.md', 'utf8')).map(({ room, mayImport: parts }) => ({
  room,
  parts,
}));

/** All packages, and the rooms that may use them. Modules of Node that are not listed are free. */
const owners: Readonly<Record<string, readonly string[]>> = {
  '@azure/cosmos': ['shared/adapters/azure'],
  '@azure/identity': ['shared/adapters/azure'],
  '@azure/service-bus': ['shared/adapters/azure'],
  '@azure/storage-blob': ['shared/adapters/azure', 'local'],
  '@azure/functions': ['functions'],
  '@azure/functions-extensions-base': ['functions'],
  'durable-functions': ['functions'],
  'onnxruntime-node': ['shared/adapters/onnx'],
  '@duckdb/node-api': ['shared/adapters/duckdb'],
  'node:sqlite': ['shared/adapters/embedded', 'local'],
  'apache-arrow': ['shared/adapters/duckdb'],
  // Azurite loads it, and the local host replaces it.
  applicationinsights: ['local'],
  azurite: ['local'],
  zod: ['shared', 'functions'],
};

/** Files that compute which modules they load, and why no import shows them. */
const computing: Readonly<Record<string, string>> = {
  'local/platform-process.ts': 'starts the built local host as a process',
  'local/worker/load.ts': 'loads the functions of the built app',
};

interface Import {
  readonly from: string;
  readonly to: string;
}

interface Row {
  /** A folder or a file; `*` matches one folder name. */
  readonly room: string;
  readonly mayImport: readonly string[];
}

const files = ['functions', 'shared', 'local'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const modules = new Map(files.map((file) => [file, readModule(file, readFileSync(file, 'utf8'))]));
const imports = files.flatMap(readImports);
const crossing = imports.filter(({ from, to }) => to.endsWith('.ts') && !isIn(to, roomOf(from)));

test('every file is in a room, and every room has files', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(crossing.length).toBeGreaterThan(100);
  expect(files.filter((file) => roomOf(file) === '')).toEqual([]);
  expect(law.map(({ room }) => room).filter((room) => !files.some((file) => isInAny(file, room)))).toEqual(
    [],
  );
});

test('every import across rooms is permitted', () => {
  const forbidden = crossing.filter(
    ({ from, to }) =>
      !law.some(({ room, mayImport }) => isInAny(from, room) && mayImport.some((target) => isIn(to, target))),
  );
  expect(forbidden.map(show)).toEqual([]);
});

test('every permission is used', () => {
  const unused = law.flatMap(({ room, mayImport }) =>
    mayImport
      .filter((target) => !crossing.some(({ from, to }) => isInAny(from, room) && isIn(to, target)))
      .map((target) => show({ from: room, to: target })),
  );
  expect(unused).toEqual([]);
});

test('the parts of a layered room import only those to their left', () => {
  expect(layered.length).toBeGreaterThan(0);
  for (const { room, parts } of layered) {
    const inside = files.filter((file) => isIn(file, room));
    const rankOf = (file: string) => parts.findIndex((part) => isIn(file, join(room, part)));
    expect(inside.filter((file) => rankOf(file) < 0)).toEqual([]);
    expect(parts.filter((part) => !inside.some((file) => isIn(file, join(room, part))))).toEqual([]);
    const upward = imports.filter(
      ({ from, to }) => isIn(from, room) && isIn(to, room) && rankOf(to) > rankOf(from),
    );
    expect(upward.map(show)).toEqual([]);
  }
});

test('each package has owners, and only they use it', () => {
  const packages = imports.filter(
    ({ to }) => !files.includes(to) && !to.startsWith('.') && !to.endsWith('.json'),
  );
  const forbidden = packages.filter(({ from, to }) => {
    const name = packageOf(to);
    const isFree = name.startsWith('node:') && !Object.hasOwn(owners, name);
    return !isFree && !(owners[name] ?? []).some((owner) => isIn(from, owner));
  });
  expect(forbidden.map(show)).toEqual([]);
  const unused = Object.entries(owners).flatMap(([name, rooms]) =>
    rooms
      .filter((room) => !packages.some(({ from, to }) => packageOf(to) === name && isIn(from, room)))
      .map((room) => show({ from: room, to: name })),
  );
  expect(unused).toEqual([]);
});

test('every request of a module can be read, but for the listed ones', () => {
  const computed = [...modules].filter(([, module]) => module.computed.length > 0).map(([file]) => file);
  expect(computed.sort()).toEqual(Object.keys(computing).sort());
});

test('no file exports what another defines', () => {
  expect([...modules].filter(([, { reexports }]) => reexports.length > 0).map(([file]) => file)).toEqual([]);
});

test('only shared/core/async yields to the event loop', () => {
  const yielding = files.filter(
    (file) => !isIn(file, 'local') && yieldsToEventLoop(readFileSync(file, 'utf8')),
  );
  expect(yielding.map(dirname)).toEqual(['shared/core/async']);
});

test.each([
  ["import '../a.ts';", ['../a.ts']],
  ["export * from './a.ts';", ['./a.ts']],
  ['await import(`./a.ts`);', ['./a.ts']],
  ['await import("./a.ts");', ['./a.ts']],
  ["type A = import('./a.ts').A;", ['./a.ts']],
  ["new Worker(new URL('./a.ts', import.meta.url));", ['./a.ts']],
  ["new Worker(new URL('workers/a.ts', import.meta.url));", ['./workers/a.ts']],
  ['new URL(`./workers/${name}.ts`, import.meta.url);', ['./workers/']],
  ["import.meta.resolve('zod');", ['zod']],
  ["createRequire(import.meta.url)('zod/mini');", ['zod/mini']],
  ["const require = createRequire(import.meta.url); require.resolve('zod');", ['zod']],
])('%s requests %j', (source, requests) => {
  expect(readModule('a.ts', source)).toMatchObject({ requests, computed: [] });
});

test.each([
  'await import(name);',
  'await import(`${name}.ts`);',
  "fork(join(import.meta.dirname, 'a.ts'));",
  'const here = import.meta.url;',
])('%s computes its request', (source) => {
  expect(readModule('a.ts', source).computed).toHaveLength(1);
});

test.each([
  ["export { a } from './a.ts'; export const b = 1;", ['a']],
  ["export * from './a.ts'; export const b = 1;", ['*']],
  ["import { a } from './a.ts'; export { a as b };", ['b']],
  ["import type { A } from './a.ts'; export type { A };", ['A']],
  ["import { a } from './a.ts'; export const b = a + 1;", []],
])('%s exports %j of others', (source, reexports) => {
  expect(readModule('a.ts', source).reexports).toEqual(reexports);
});

test.each([
  'await new Promise((resolve) => setImmediate(resolve));',
  "import { setImmediate as nextTurn } from 'node:timers/promises';",
  "import * as timers from 'node:timers/promises'; await timers.scheduler.yield();",
  'globalThis.setImmediate(run);',
])('%s would be found as a yield', (source) => {
  expect(yieldsToEventLoop(source)).toBe(true);
});

function readImports(file: string): Import[] {
  return modules.get(file)!.requests.flatMap((request) => {
    if (!request.startsWith('.')) return [{ from: file, to: request }];
    const to = normalize(join(dirname(file), request));
    // A built file has another extension.
    if (!to.endsWith('/')) return [{ from: file, to: to.replace(/\.js$/, '.ts') }];
    return files
      .filter((candidate) => candidate.startsWith(to))
      .map((candidate) => ({ from: file, to: candidate }));
  });
}

/** `@azure/cosmos` for `@azure/cosmos/dist/x.js`. */
function packageOf(request: string): string {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
}

function yieldsToEventLoop(source: string): boolean {
  const { program, module } = parseSync('a.ts', source);
  let isFound = module.staticImports.some(({ moduleRequest }) =>
    /^(?:node:)?timers/.test(moduleRequest.value),
  );
  new Visitor({
    Identifier: ({ name }) => {
      isFound ||= name === 'setImmediate';
    },
  }).visit(program);
  return isFound;
}

/** The innermost room of a file: `shared/domains/serving` for the row `shared/domains/*`. */
function roomOf(file: string): string {
  const rooms = law.flatMap(({ room }) => matchRoom(file, room) ?? []);
  return rooms.sort((a, b) => b.length - a.length)[0] ?? '';
}

function matchRoom(file: string, room: string): string | undefined {
  const pattern = room.replaceAll('.', '\\.').replaceAll('*', '[^/]+');
  return new RegExp(`^${pattern}(?=/|$)`).exec(file)?.[0];
}

function isInAny(file: string, room: string): boolean {
  return matchRoom(file, room) !== undefined;
}

function isIn(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}

function show({ from, to }: Import): string {
  return `${from} → ${to}`;
}

/** Rows of the form | `room` | `target` `target` |. */
function readTable(readme: string): readonly Row[] {
  const rows = readme.matchAll(/^\| `((?:shared|functions|local)[^`]*)` \|(.*)\|$/gm);
  return [...rows].map(([, room = '', targets = '']) => ({
    room,
    mayImport: [...targets.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  }));
}
