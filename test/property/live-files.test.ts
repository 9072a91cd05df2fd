import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findLiveFiles } from '../../shared/domains/datasets/versions/live-files.ts';
import { type Action, type LogCommit } from '../../shared/formats/delta/log/actions.ts';
import { replay, type Snapshot } from '../../shared/formats/delta/snapshots/snapshot.ts';
import { createTable } from '../../shared/formats/delta/create-table.ts';

const paths = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const table = createTable({
  id: '00000000-0000-0000-0000-000000000000',
  name: 't',
  columns: [{ name: 'n', type: 'long', nullable: true }],
  configuration: {},
  createdTime: 0,
});

function add(path: string): Action {
  return {
    kind: 'add',
    file: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange: true },
  };
}

function remove(path: string): Action {
  return { kind: 'remove', file: { path, dataChange: true } };
}

/** Each commit toggles some paths, or adds an existing one again, as writers do to change its statistics. */
function makeCommits(toggles: readonly (readonly string[])[], again: readonly boolean[]): LogCommit[] {
  const there = new Set<string>();
  return toggles.map((toggled, version) => {
    const actions = [...new Set(toggled)].map((path, index) => {
      if (!there.has(path) || (again[version] === true && index === 0)) {
        there.add(path);
        return add(path);
      }
      there.delete(path);
      return remove(path);
    });
    return { version, timestamp: version * 10, actions: version === 0 ? [...table, ...actions] : actions };
  });
}

async function* each(commits: readonly LogCommit[]): AsyncGenerator<LogCommit> {
  yield* commits;
}

describe('live files', () => {
  test('are those of the kept snapshots, which are read in order', async () => {
    const history = fc.array(fc.array(fc.constantFrom(...paths), { maxLength: 5 }), {
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
        fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
        async (toggles, again, stay) => {
          const commits = makeCommits(toggles, again);
          const asked: (readonly [number, number])[] = [];
          const live = await findLiveFiles(each(commits), (version, supersededAt) => {
            asked.push([version, supersededAt]);
            return stay[version]!;
          });
          const expected = new Set<string>();
          let snapshot: Snapshot | undefined;
          for (const commit of commits) {
            snapshot = replay(snapshot, [commit]);
            const isNewest = commit.version === commits.length - 1;
            if (isNewest || stay[commit.version]!)
              for (const path of snapshot.files.keys()) expected.add(path);
          }
          expect([...live].toSorted()).toEqual([...expected].toSorted());
          expect(asked).toEqual(commits.slice(1).map(({ version }) => [version - 1, version * 10]));
        },
      ),
      { numRuns: 500 },
    );
  });
});
