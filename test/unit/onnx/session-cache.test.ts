import { expect, test } from 'vitest';
import { SessionCache } from '../../../shared/adapters/onnx/sessions/session-cache.ts';

function createLoader() {
  const events: string[] = [];
  const load = (key: string, sizeBytes: number) => async () => {
    events.push(`load ${key}`);
    return { key, sizeBytes, release: async () => void events.push(`release ${key}`) };
  };
  return { events, load };
}

test('evicts the least recently used model once the bytes exceed the bound', async () => {
  const cache = new SessionCache<{ key: string; sizeBytes: number; release(): Promise<void> }>(10);
  const { events, load } = createLoader();
  const touch = (key: string) => cache.use(key, load(key, 4), async (loaded) => loaded.key);
  await touch('a');
  await touch('b');
  await touch('a');
  expect(await touch('c')).toBe('c');
  expect(events).toEqual(['load a', 'load b', 'load c', 'release b']);
  expect(cache.bytes).toBe(8);
  await touch('a');
  expect(events).toHaveLength(4);
  await cache.clear();
  expect(events.slice(4).sort()).toEqual(['release a', 'release c']);
  expect(cache.bytes).toBe(0);
});

test('releases an evicted model after its last user', async () => {
  const cache = new SessionCache(4);
  const { events, load } = createLoader();
  const gate = Promise.withResolvers<void>();
  const users = [1, 2].map(() => cache.use('a', load('a', 4), () => gate.promise));
  await cache.use('b', load('b', 4), async () => {});
  expect(events).toEqual(['load a', 'load b']);
  gate.resolve();
  await Promise.all(users);
  expect(events).toEqual(['load a', 'load b', 'release a']);
});

test('concurrent callers share one load', async () => {
  const cache = new SessionCache(10);
  const { events, load } = createLoader();
  await Promise.all(Array.from({ length: 5 }, () => cache.use('a', load('a', 4), async () => {})));
  expect(events).toEqual(['load a']);
  expect(cache.bytes).toBe(4);
});

test('a failed load rejects all waiting callers and is forgotten', async () => {
  const cache = new SessionCache(10);
  const fail = () => Promise.reject(new Error('storage is down'));
  const waiting = [1, 2].map(() => cache.use('a', fail, async () => 'unused'));
  for (const result of await Promise.allSettled(waiting))
    expect(result).toMatchObject({ status: 'rejected', reason: { message: 'storage is down' } });
  const { load } = createLoader();
  expect(await cache.use('a', load('a', 4), async () => 'loaded')).toBe('loaded');
  expect(cache.bytes).toBe(4);
});

test('a load that fails after a clear rejects with its own error', async () => {
  const cache = new SessionCache(10);
  const gate = Promise.withResolvers<never>();
  const waiting = cache.use(
    'a',
    () => gate.promise,
    async () => 'unused',
  );
  const clearing = cache.clear();
  gate.reject(new Error('storage is down'));
  await expect(waiting).rejects.toThrow('storage is down');
  await clearing;
  expect(cache.bytes).toBe(0);
});

test('a load that ends after a clear is released by its user and not kept', async () => {
  const cache = new SessionCache(10);
  const { events, load } = createLoader();
  const gate = Promise.withResolvers<void>();
  const using = cache.use(
    'a',
    async () => {
      await gate.promise;
      return load('a', 4)();
    },
    async () => 'used',
  );
  await cache.clear();
  gate.resolve();
  expect(await using).toBe('used');
  expect(events).toEqual(['load a', 'release a']);
  expect([cache.has('a'), cache.bytes]).toEqual([false, 0]);
});

test('a model above the bound is refused and released, and evicts no other model', async () => {
  const cache = new SessionCache(10);
  const { events, load } = createLoader();
  await cache.use('a', load('a', 10), async () => {});
  await expect(cache.use('big', load('big', 11), async () => {})).rejects.toMatchObject({
    code: 'UNPROCESSABLE',
    details: { sizeBytes: 11, maxBytes: 10 },
  });
  expect(events).toEqual(['load a', 'load big', 'release big']);
  expect(cache.has('a')).toBe(true);
});
