import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from '../../shared/core/lru.ts';

interface Value {
  readonly name: string;
  isPinned: boolean;
}

/** A plain model of the cache: an array, the least recently used first. */
class Model {
  readonly maxCost: number;
  readonly entries: { readonly key: string; readonly value: Value; readonly cost: number }[] = [];

  constructor(maxCost: number) {
    this.maxCost = maxCost;
  }

  get cost(): number {
    return this.entries.reduce((sum, { cost }) => sum + cost, 0);
  }

  remove(key: string): Value | undefined {
    const index = this.entries.findIndex((entry) => entry.key === key);
    return index < 0 ? undefined : this.entries.splice(index, 1)[0]?.value;
  }

  touch(key: string): Value | undefined {
    const found = this.entries.find((entry) => entry.key === key);
    if (found) this.entries.push(...this.entries.splice(this.entries.indexOf(found), 1));
    return found?.value;
  }

  set(key: string, value: Value, cost: number): Value[] {
    const earlier = this.remove(key);
    const replaced = earlier && earlier !== value ? [earlier] : [];
    if (cost > this.maxCost && !value.isPinned) return [...replaced, value];
    this.entries.push({ key, value, cost });
    return [...replaced, ...this.makeRoom(0)];
  }

  makeRoom(cost: number): Value[] {
    const evicted: Value[] = [];
    while (this.cost + cost > this.maxCost) {
      const next = this.entries.find(({ value }) => !value.isPinned);
      if (next === undefined) break;
      evicted.push(next.value);
      this.remove(next.key);
    }
    return evicted;
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__', 'constructor');
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, cost: fc.nat(6), isPinned: fc.boolean() }),
  fc.record({ kind: fc.constant('again' as const), key, cost: fc.nat(6) }),
  fc.record({
    kind: fc.constantFrom('get' as const, 'peek' as const, 'delete' as const, 'unpin' as const),
    key,
  }),
  fc.record({ kind: fc.constant('makeRoom' as const), cost: fc.constantFrom(0, 1, 3, Infinity) }),
);

test('the cache agrees with a plain list', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 60 }), (maxCost, steps) => {
      const cache = new Lru<string, Value>({ maxCost, isPinned: ({ isPinned }) => isPinned });
      const model = new Model(maxCost);
      steps.forEach((one, index) => {
        switch (one.kind) {
          case 'set': {
            const value: Value = { name: `v${index}`, isPinned: one.isPinned };
            expect(cache.set(one.key, value, one.cost)).toEqual(model.set(one.key, value, one.cost));
            break;
          }
          case 'again': {
            const value = cache.peek(one.key);
            if (value)
              expect(cache.set(one.key, value, one.cost)).toEqual(model.set(one.key, value, one.cost));
            break;
          }
          case 'get':
            expect(cache.get(one.key)).toBe(model.touch(one.key));
            break;
          case 'peek':
            expect(cache.peek(one.key)).toBe(model.entries.find((entry) => entry.key === one.key)?.value);
            break;
          case 'delete':
            expect(cache.delete(one.key)).toBe(model.remove(one.key));
            break;
          case 'unpin': {
            const value = cache.peek(one.key);
            if (value) value.isPinned = false;
            break;
          }
          case 'makeRoom':
            expect(cache.makeRoom(one.cost)).toEqual(model.makeRoom(one.cost));
        }
        expect([...cache.entries()]).toEqual(model.entries.map(({ key, value }) => [key, value]));
        expect([cache.cost, cache.size]).toEqual([model.cost, model.entries.length]);
      });
    }),
    { numRuns: 1_000 },
  );
});
