import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';

/** The allowed imports: the table in the README is complete. */
const law = readTable(readFileSync('README.md', 'utf8'));

/** The layers of rooms, from the lowest up: the table in docs/architecture.md. */
const layered = readTable(readFileSync('docs/architecture.md', 'utf8')).map(({ room, mayImport: parts }) => ({
  room,
  parts,
}));

/** Packages that only some rooms may use. */
const guarded: Record<string, readonly string[]> = {
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
  azurite: ['local'],
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

test('each package is used only in the rooms that own it', () => {
  const forbidden = imports.filter(({ from, to }) => {
    const owners =
      guarded[to] ??
      guarded[
        to
          .split('/')
          .slice(0, to.startsWith('@') ? 2 : 1)
          .join('/')
      ];
    return owners !== undefined && !owners.some((owner) => isIn(from, owner));
  });
  expect(forbidden.map(show)).toEqual([]);
});

test('there are no barrels', () => {
  const barrels = files.filter((file) => {
    const { module } = parseSync(file, readFileSync(file, 'utf8'));
    return (
      module.staticExports.length > 0 &&
      module.staticExports.every((statement) => statement.entries.every((entry) => entry.moduleRequest))
    );
  });
  expect(barrels).toEqual([]);
});

function readImports(file: string): Import[] {
  const source = readFileSync(file, 'utf8');
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const requests = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports
      .map(({ moduleRequest: { start, end } }) => source.slice(start, end))
      .filter((request) => /^'.*'$/.test(request))
      .map((request) => request.slice(1, -1)),
  ];
  return requests.map((request) => ({
    from: file,
    to: request.startsWith('.') ? normalize(join(dirname(file), request)) : request,
  }));
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
