import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openCursor, sealCursor } from '../../shared/core/cursor.ts';
import { isAppError } from '../../shared/core/errors.ts';
import { canonicalJson, type JsonValue } from '../../shared/core/json/json.ts';
import { sealDocumentCursor } from '../../shared/platform/storage/document-cursor.ts';
import type { DocumentQuery } from '../../shared/platform/storage/documents.ts';
import { metadataStores } from '../support/stores.ts';

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
const positionSchema = z.tuple([z.int().min(0), z.string()]);
const position = fc.tuple(fc.nat(), fc.string({ unit: 'binary' }));

/** Changes of a cursor: characters, spellings of Base64, and decoded bytes. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), at: fc.nat(), by: fc.string({ maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    by: fc.constantFrom('=', ' ', '\n', 'A', '%'),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), to: fc.nat(255) }),
  fc.record({ kind: fc.constantFrom('double' as const, 'plain' as const, 'upper' as const), at: fc.nat() }),
);

function mutate(cursor: string, change: typeof mutation extends fc.Arbitrary<infer T> ? T : never): string {
  const at = change.at % (cursor.length + 1);
  switch (change.kind) {
    case 'replace':
      return cursor.slice(0, at) + change.by + cursor.slice(at + change.by.length);
    case 'insert':
      return cursor.slice(0, at) + change.by + cursor.slice(at);
    case 'cut':
      return cursor.slice(0, at);
    case 'byte': {
      const bytes = Buffer.from(cursor, 'base64url');
      bytes[at % bytes.length] = change.to;
      return bytes.toString('base64url');
    }
    case 'double':
      return cursor + cursor;
    case 'plain':
      return Buffer.from(cursor, 'base64url').toString('base64');
    case 'upper':
      return cursor.toUpperCase();
  }
}

test('a cursor round-trips its position for the same query', () => {
  fc.assert(
    fc.property(json, json, (query, position) => {
      const cursor = sealCursor(query, position);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(openCursor(query, cursor, z.json())).toEqual(JSON.parse(JSON.stringify(position)));
    }),
  );
});

test('a cursor is refused for another query', () => {
  fc.assert(
    fc.property(json, json, position, (query, other, at) => {
      fc.pre(canonicalJson(query) !== canonicalJson(other));
      const cursor = sealCursor(query, at);
      expect(() => openCursor(other, cursor, positionSchema)).toThrow('The cursor belongs to another query.');
    }),
  );
});

test('10,000 changed cursors are all refused as an invalid argument', () => {
  fc.assert(
    fc.property(json, position, mutation, (query, at, change) => {
      const cursor = sealCursor(query, at);
      const changed = mutate(cursor, change);
      fc.pre(changed !== cursor);
      expect(catchError(() => openCursor(query, changed, positionSchema))).toSatisfy(isInvalidArgument);
    }),
    { numRuns: 10_000 },
  );
});

test('any text, and any position that the schema does not allow, is an invalid argument', () => {
  fc.assert(
    fc.property(json, json, fc.string({ unit: 'binary' }), (query, at, text) => {
      fc.pre(!positionSchema.safeParse(at).success);
      expect(catchError(() => openCursor(query, text, positionSchema))).toSatisfy(isInvalidArgument);
      const forged = sealCursor(query, at);
      expect(catchError(() => openCursor(query, forged, positionSchema))).toSatisfy(isInvalidArgument);
    }),
  );
});

describe.each(metadataStores)('$name', ({ name, open }) => {
  const adapter = name === 'SQLite' ? 'sqlite' : 'cosmos';
  const queries: readonly DocumentQuery[] = [
    { container: 'tracking', limit: 2 },
    { container: 'tracking', partition: 'p', limit: 2 },
    { container: 'tracking', sort: { path: ['n'], direction: 'asc' }, limit: 2 },
    { container: 'tracking', partition: 'p', sort: { path: ['n'], direction: 'desc' }, limit: 2 },
  ];
  const type = fc.constantFrom<JsonValue>('IS_STRING', 'IS_NUMBER', 'IS_BOOL', 1, 2, 3, 4, '__proto__');
  const near = fc.oneof(
    json,
    fc.tuple(type, json),
    fc.tuple(fc.nat(9), type, json),
    fc.tuple(type, json, json),
  );

  test('a forged position is answered or refused, and never fails otherwise', async () => {
    const store = await open();
    for (const id of ['a', 'b', 'c', 'd'])
      await store.create({ container: 'tracking', partition: 'p', id }, { n: id === 'a' ? 1 : id });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...queries), near, async (query, at) => {
        const cursor = sealDocumentCursor(adapter, query, at);
        const outcome = await store.list({ ...query, cursor }).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toSatisfy(isInvalidArgument);
      }),
      { numRuns: 200 },
    );
  });
});

function isInvalidArgument(error: unknown): boolean {
  return isAppError(error, 'INVALID_ARGUMENT');
}

function catchError(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
