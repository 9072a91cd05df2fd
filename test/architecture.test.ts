import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';

/**
 * Who may import whom: the table in the README. A room is a folder or a file; the longest match decides.
 */
const mayImport = readTable(readFileSync('README.md', 'utf8'));

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

const files = ['functions', 'shared', 'local'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const imports = files.flatMap(readImports);
const inside = imports.filter(({ to }) => to.endsWith('.ts'));

test('every room is seen', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(inside.length).toBeGreaterThan(100);
  for (const room of Object.keys(mayImport)) {
    expect(
      files.some((file) => isIn(file, room)),
      room,
    ).toBe(true);
  }
});

test('every import inside the project is in the table', () => {
  const forbidden = inside.filter(({ from, to }) => {
    const room = roomOf(from);
    return !isIn(to, room) && !mayImport[room]?.some((allowed) => isIn(to, allowed));
  });
  expect(forbidden.map(show)).toEqual([]);
});

test('functions reach shared only through the app, the helpers and the schemas', () => {
  const forbidden = inside.filter(
    ({ from, to }) =>
      isIn(from, 'functions') && /shared\/(adapters|core\/stats|domains\/training)\//.test(to),
  );
  expect(forbidden.map(show)).toEqual([]);
});

test('nothing imports local, and tests and scripts are imported by nobody', () => {
  const forbidden = inside.filter(
    ({ from, to }) => (isIn(to, 'local') && !isIn(from, 'local')) || /^(test|scripts|examples)\//.test(to),
  );
  expect(forbidden.map(show)).toEqual([]);
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
  const { module, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const requests = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
  ];
  return requests.map((request) => ({
    from: file,
    to: request.startsWith('.') ? normalize(join(dirname(file), request)) : request,
  }));
}

function roomOf(file: string): string {
  const rooms = Object.keys(mayImport).filter((room) => isIn(file, room));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? '';
}

function isIn(file: string, room: string): boolean {
  return file === room || file.startsWith(`${room}/`);
}

function show({ from, to }: Import): string {
  return `${from} → ${to}`;
}

/** Rows of the form | `room` | `allowed` `allowed` |. */
function readTable(readme: string): Record<string, readonly string[]> {
  const rows = readme.matchAll(/^\| `((?:shared|functions|local)[^`]*)` \|(.*)\|$/gm);
  return Object.fromEntries(
    [...rows].map(([, room = '', allowed = '']) => [
      room,
      [...allowed.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    ]),
  );
}
