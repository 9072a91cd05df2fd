import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action, AddFile, RemoveFile, Transaction } from '../../shared/formats/delta/log/actions.ts';
import { createTable } from '../../shared/formats/delta/create-table.ts';
import { listCheckpointActions } from '../../shared/formats/delta/checkpoints/checkpoint.ts';
import { decodePath, encodePath } from '../../shared/formats/delta/log/file-path.ts';
import { encodeEntry, parseEntry } from '../../shared/formats/delta/log/log-entry.ts';
import { Replay, replay } from '../../shared/formats/delta/snapshots/snapshot.ts';
import { roundDownMoment, roundUpMoment } from '../../shared/formats/delta/stats/stats-moments.ts';
import { roundUpText, shortenText } from '../../shared/formats/delta/stats/stats-texts.ts';
import { buildStats } from '../../shared/formats/delta/stats/stats.ts';
import { createCheckpointFiles } from '../../shared/adapters/duckdb/checkpoint-files.ts';
import { createScratchFolders } from '../../shared/adapters/embedded/scratch-folders.ts';
const text = fc.string({ unit: 'binary', maxLength: 50 });
const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const path = fc
  .array(
    text.filter((part) => part !== '' && !part.includes('/') && part !== '.' && part !== '..'),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((parts) => parts.join('/'));
const tags = fc.dictionary(text, fc.option(text), { noNullPrototype: true });

/** Omits optional members. */
const addFile: fc.Arbitrary<AddFile> = fc.record(
  { path, size: whole, modificationTime: whole, dataChange: fc.boolean(), stats: text, tags },
  { requiredKeys: ['path', 'size', 'modificationTime', 'dataChange'], noNullPrototype: true },
);
const removed: fc.Arbitrary<RemoveFile> = fc.record(
  { path, deletionTimestamp: whole, dataChange: fc.boolean(), size: whole },
  { requiredKeys: ['path', 'dataChange'], noNullPrototype: true },
);
const txn: fc.Arbitrary<Transaction> = fc.record(
  { appId: text, version: whole, lastUpdated: whole },
  { requiredKeys: ['appId', 'version'], noNullPrototype: true },
);
const action: fc.Arbitrary<Action> = fc.oneof(
  addFile.map((file): Action => ({ kind: 'add', file })),
  removed.map((file): Action => ({ kind: 'remove', file })),
  txn.map((transaction): Action => ({ kind: 'txn', transaction })),
);

describe('entries', () => {
  test('parse(encode(x)) equals x, however the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action), fc.integer({ min: 1, max: 40 }), async (actions, size) => {
        const bytes = await encodeEntry(actions);
        const body = async function* () {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        };
        expect(await Array.fromAsync(parseEntry(body(), 'x'))).toEqual(actions);
      }),
    );
  });

  test('paths are URIs, and decode to themselves', () => {
    fc.assert(
      fc.property(path, (of) => {
        expect(decodePath(encodePath(of))).toBe(of);
        expect(encodePath(of)).toMatch(/^[\w\-.!~*'()%/=]+$/);
      }),
    );
  });
});

describe('replay', () => {
  /** Few paths, so that they collide. */
  const few = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), path: few, size: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant('remove' as const), path: few }),
    fc.record({ kind: fc.constant('txn' as const), path: few, size: fc.integer({ min: 0, max: 9 }) }),
  );
  const commits = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 12 });
  const first = createTable({ id: 'x', columns: [], createdTime: 1 });

  const toActions = (steps: readonly { kind: string; path: string; size?: number }[], version: number) =>
    steps.map(({ kind, path: of, size = 0 }): Action => {
      if (kind === 'txn') return { kind, transaction: { appId: of, version: size } };
      if (kind === 'remove')
        return { kind, file: { path: of, deletionTimestamp: version, dataChange: true } };
      return { kind: 'add', file: { path: of, size, modificationTime: version, dataChange: true } };
    });

  test('equals a model that searches back from the end', () => {
    fc.assert(
      fc.property(commits, (steps) => {
        const log = [[], ...steps].map((of, version) => ({
          version,
          timestamp: version,
          actions: [...(version === 0 ? first : []), ...toActions(of, version)],
        }));
        const all = log.flatMap(({ actions }) => actions);
        // By the protocol, the newest action of a path decides.
        const lastOf = (kinds: readonly string[], key: (of: Action) => string) =>
          all.filter(
            (of, at) =>
              kinds.includes(of.kind) &&
              !all.slice(at + 1).some((later) => kinds.includes(later.kind) && key(later) === key(of)),
          );
        const pathOf = (of: Action) => (of.kind === 'add' || of.kind === 'remove' ? of.file.path : '');
        const appOf = (of: Action) => (of.kind === 'txn' ? of.transaction.appId : '');
        const files = lastOf(['add', 'remove'], pathOf);
        const snapshot = replay(undefined, log);
        const shown = (kind: string) =>
          files.flatMap((of) =>
            of.kind === kind && (of.kind === 'add' || of.kind === 'remove')
              ? [{ ...of.file, dataChange: false }]
              : [],
          );
        expect([...snapshot.files.values()]).toEqual(shown('add'));
        expect([...snapshot.tombstones.values()]).toEqual(shown('remove'));
        expect([...snapshot.transactions.keys()].sort()).toEqual(lastOf(['txn'], appOf).map(appOf).sort());
        for (const of of lastOf(['txn'], appOf))
          if (of.kind === 'txn')
            expect(snapshot.transactions.get(of.transaction.appId)).toEqual(of.transaction);
      }),
    );
  });

  test('from any version, and through a checkpoint there, gives the same state', () => {
    fc.assert(
      fc.property(commits, fc.nat(), (steps, at) => {
        const log = [[], ...steps].map((of, version) => ({
          version,
          timestamp: version,
          actions: [...(version === 0 ? first : []), ...toActions(of, version)],
        }));
        const cut = 1 + (at % log.length);
        const middle = replay(undefined, log.slice(0, cut));
        const before = structuredClone(middle);
        const entire = replay(undefined, log);
        expect(replay(middle, log.slice(cut))).toEqual(entire);
        expect(middle).toEqual(before);
        const loaded = new Replay();
        for (const of of listCheckpointActions(middle, 0)) loaded.applyAction(of);
        loaded.apply({ version: middle.version, timestamp: middle.timestamp, actions: [] });
        const fromCheckpoint = replay(loaded.finish(), log.slice(cut));
        const { tombstones: _, ...others } = entire;
        expect(fromCheckpoint).toMatchObject(others);
        expect([...fromCheckpoint.files.keys()]).toEqual([...entire.files.keys()]);
      }),
    );
  });
});

describe('statistics', () => {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const long = fc.oneof(
    text,
    fc.string({ unit: fc.constantFrom('a', '\ud7ff', '\u{10ffff}', '\uffff', '🎈'), maxLength: 70 }),
  );

  test('bounds of texts hold in UTF-8 order, and are short', () => {
    fc.assert(
      fc.property(long, (of) => {
        const low = shortenText(of);
        const high = roundUpText(of);
        expect(compare(low, of)).toBeLessThanOrEqual(0);
        expect(countPoints(low)).toBeLessThanOrEqual(32);
        expect(compare(high ?? '', of)).toBeGreaterThanOrEqual(0);
        expect(high?.isWellFormed()).toBe(true);
        if (high !== of) expect(countPoints(high ?? '')).toBeLessThanOrEqual(32);
        else expect(countPoints(of) <= 32 || of.startsWith('\u{10ffff}'.repeat(32))).toBe(true);
      }),
    );
  });

  test('bounds of timestamps hold to within a millisecond', () => {
    const moment = fc.record({
      ms: fc.integer({
        min: Date.parse('0001-01-01T00:00:00Z'),
        max: Date.parse('9999-12-31T23:59:59.998Z'),
      }),
      us: fc.integer({ min: 0, max: 999 }),
    });
    fc.assert(
      fc.property(moment, ({ ms, us }) => {
        const written = `${new Date(ms).toISOString().slice(0, -1)}${String(us).padStart(3, '0')}+00`;
        expect(Date.parse(`${roundDownMoment(written)}Z`)).toBe(ms);
        expect(Date.parse(`${roundUpMoment(written)}Z`)).toBe(us === 0 ? ms : ms + 1);
      }),
    );
  });

  test('numbers keep every digit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
        fc.integer({ min: 1, max: 10 }),
        (n, scale) => {
          const digits = `${n}.${'1234567890'.slice(0, scale)}`;
          const stats = buildStats({
            rows: 1,
            columns: [{ name: 'c', type: 'decimal(38,10)', nulls: 0, min: digits, max: digits }],
          });
          expect(stats).toContain(`"minValues":{"c":${digits}},"maxValues":{"c":${digits}}`);
          expect(() => JSON.parse(stats) as unknown).not.toThrow();
        },
      ),
    );
  });
});

describe('checkpoint files', () => {
  const files = createCheckpointFiles(createScratchFolders());

  test('read back what was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const all = [...createTable({ id: 'x', name: 'ä', columns: [], createdTime: 1 }), ...actions];
        expect(await Array.fromAsync(files.read(await files.write(all)))).toEqual(all);
      }),
      { numRuns: 15 },
    );
  });
});

function countPoints(of: string): number {
  return Array.from(of).length;
}
