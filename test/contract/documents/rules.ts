import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../shared/core/json/json.ts';
import type { Filter } from '../../../shared/platform/storage/documents.ts';
import type { ContractContext } from './fixture.ts';
import { creations, failureOf } from './fixture.ts';

/** Arguments that every adapter refuses. */
export function describeRules(context: ContractContext): void {
  const { store, container, newPartition, newKey } = context;
  /** Accepts filters that the types exclude. */
  const listWhere = (filter: object) =>
    store().list({ container: container(), limit: 1, filter: filter as Filter });
  describe('rules', () => {
    const bad: Readonly<Record<string, () => Promise<unknown>>> = {
      'an empty id': () => store().get(newKey('')),
      'a dot as id, which a URL resolves': () => store().get(newKey('..')),
      'an id that ends with a space': () => store().create(newKey('a '), {}),
      'an id of 256 characters': () => store().create(newKey('x'.repeat(256)), {}),
      'a control character in an id': () => store().create(newKey('a\nb'), {}),
      'half a surrogate pair in an id': () => store().create(newKey('a\ud800'), {}),
      'an empty partition': () => store().create({ ...newKey(), partition: '' }, {}),
      'a partition of 1,001 characters': () =>
        store().create({ ...newKey(), partition: 'x'.repeat(1_001) }, {}),
      'the name id': () => store().create(newKey(), { id: 'x' }),
      'the name pk': () => store().upsert(newKey(), { pk: 'x' }),
      'the name ttl': () => store().upsert(newKey(), { ttl: 1 }),
      'a name with an underscore': () => store().create(newKey(), { _etag: 'x' }),
      NaN: () => store().create(newKey(), { a: [Number.NaN] }),
      'half a surrogate pair in a body': () => store().create(newKey(), { a: 'x\udfff' }),
      'a document over 2 MB': () => store().create(newKey(), { a: 'é'.repeat(1_000_001) }),
      'a document nested 200 deep': () => store().create(newKey(), { a: nest(200) }),
      'a lifetime of 0': () => store().create(newKey(), {}, { ttlSeconds: 0 }),
      'a lifetime of 1.5': () => store().create(newKey(), {}, { ttlSeconds: 1.5 }),
      'the ETag that matches all': () => store().replace(newKey(), {}, '*'),
      'no ETag': () => store().replace(newKey(), {}, ''),
      'an empty batch': () => store().batch(container(), newPartition(), []),
      'a batch of 101': () => store().batch(container(), newPartition(), creations(101)),
      'a batch over 2 MB': () =>
        store().batch(container(), newPartition(), creations(3, 'x'.repeat(700_000))),
      'a limit of 0': () => store().list({ container: container(), limit: 0 }),
      'a limit of 1,001': () => store().list({ container: container(), limit: 1_001 }),
      'a filter on the key': () => listWhere({ op: 'compare', test: 'eq', path: ['pk'], value: 'x' }),
      'a filter with NaN': () => listWhere({ op: 'compare', test: 'lt', path: ['a'], value: Number.NaN }),
      'an unknown comparison': () => listWhere({ op: 'compare', test: 'toString', path: ['a'], value: 1 }),
      'an unknown match': () => listWhere({ op: 'match', how: 'like', path: ['a'], value: 'x' }),
      'an unknown operator': () => listWhere({ op: 'between', path: ['a'], value: 1 }),
      'an ignoreCase that is not true': () =>
        listWhere({ op: 'match', how: 'contains', path: ['a'], value: 'x', ignoreCase: 'yes' }),
      'a sort by a field without an index': () =>
        store().list({ container: container(), limit: 1, sort: { path: ['points', 'x'], direction: 'asc' } }),
      'an invalid cursor': () => store().list({ container: container(), limit: 1, cursor: 'nonsense' }),
    };
    it.each(Object.keys(bad))('refuse %s', async (name) => {
      expect((await failureOf(bad[name]!())).code).toBe('INVALID_ARGUMENT');
    });

    it.each(['/', '\\', '?', '#'])('refuse %s in an id', async (character) => {
      expect((await failureOf(store().create(newKey(`a${character}b`), {}))).code).toBe('INVALID_ARGUMENT');
    });
  });
}

function nest(depth: number): JsonObject {
  return depth === 0 ? {} : { a: nest(depth - 1) };
}
