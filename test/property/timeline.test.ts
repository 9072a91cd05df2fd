import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AuditedWriter } from '../../shared/platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../shared/platform/audit/event.ts';
import { Outbox } from '../../shared/platform/audit/outbox.ts';
import { Timeline } from '../../shared/platform/audit/timeline.ts';
import { silentLogger } from '../../shared/core/logger.ts';
import { metadataStores, system } from '../support/stores.ts';

/** Actions of users on a model, in the terms of its registry; versions and aliases are few, so that they collide. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('register' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('point' as const, 'point' as const, 'drop' as const),
      alias: fc.constantFrom('production', 'champion', '__proto__'),
      version: fc.nat(3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('stage' as const),
      version: fc.nat(3),
      stage: fc.constantFrom('None', 'Staging', 'Production', 'Archived'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), version: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rename' as const) }) },
);
const steps = fc.array(fc.record({ step, afterMs: fc.nat(2) }), { minLength: 5, maxLength: 40 });

/** The current state of a model, without its history. */
interface State {
  readonly aliases: Record<string, number>;
  readonly stages: Record<number, string>;
}

const none: State = { aliases: Object.create(null) as State['aliases'], stages: {} };

/** The plain replay: the state after a step, and its events. Undefined when the step is impossible. */
function play(
  state: State,
  name: string,
  taken: typeof step extends fc.Arbitrary<infer T> ? T : never,
  newest: number,
) {
  const by = 'ada';
  const aliases = Object.assign(Object.create(null) as State['aliases'], state.aliases);
  const stages = { ...state.stages };
  const alias = (name_: string) => ({ kind: 'alias', model: name, alias: name_ }) as const;
  const version = (of: number) => ({ kind: 'modelVersion', model: name, version: of }) as const;
  const entries: AuditEntry[] = [];
  switch (taken.do) {
    case 'register':
      stages[newest + 1] = 'None';
      entries.push({
        by,
        action: 'modelVersion.created',
        subject: version(newest + 1),
        before: null,
        after: { stage: 'None', tags: {} },
      });
      break;
    case 'point':
      if (stages[taken.version] === undefined) return undefined;
      aliases[taken.alias] = taken.version;
      entries.push({
        by,
        action: 'alias.moved',
        subject: alias(taken.alias),
        before: null,
        after: { version: taken.version },
      });
      break;
    case 'drop':
      if (aliases[taken.alias] === undefined) return undefined;
      delete aliases[taken.alias];
      entries.push({
        by,
        action: 'alias.deleted',
        subject: alias(taken.alias),
        before: { version: taken.version },
        after: null,
      });
      break;
    case 'stage':
      if (stages[taken.version] === undefined) return undefined;
      stages[taken.version] = taken.stage;
      entries.push({
        by,
        action: 'modelVersion.stageChanged',
        subject: version(taken.version),
        before: {},
        after: { stage: taken.stage },
      });
      break;
    case 'remove':
      if (stages[taken.version] === undefined) return undefined;
      delete stages[taken.version];
      for (const [key, of] of Object.entries(aliases)) {
        if (of !== taken.version) continue;
        delete aliases[key];
        entries.push({
          by,
          action: 'alias.deleted',
          subject: alias(key),
          before: { version: of },
          after: null,
        });
      }
      entries.push({
        by,
        action: 'modelVersion.deleted',
        subject: version(taken.version),
        before: {},
        after: null,
      });
      break;
    case 'delete':
      entries.push({
        by,
        action: 'model.deleted',
        subject: { kind: 'model', model: name },
        before: {},
        after: null,
      });
      return { state: none, entries };
    case 'rename':
      return undefined;
  }
  return { state: { aliases, stages }, entries };
}

const names = ['one', 'two', 'three'];

test.each(metadataStores)(
  'on $name, the timeline equals a plain replay at every time',
  async ({ name: adapter, open }) => {
    const isSlow = adapter !== 'SQLite';
    const store = await open();
    let model = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        let now = 1_000_000;
        const clock = { ...system.clock, now: () => now };
        const queue = { send: async () => {} };
        const outbox = new Outbox({ store, queue, clock, logger: silentLogger });
        const writer = new AuditedWriter({ store, outbox, ...system, clock });
        model += 1;
        const nameOf = (index: number) => `${names[index % names.length]}-${model}`;
        let index = 0;
        let state = none;
        let newest = 0;
        /** For each name and time, the state at the end of that millisecond. */
        const truth = new Map<string, State>([[`${nameOf(0)} ${now}`, none]]);
        const times = new Set([now]);
        for (const { step: taken, afterMs } of history) {
          now += afterMs;
          times.add(now);
          const name = nameOf(index);
          if (taken.do === 'rename') {
            // The next name; after the last the first again, which has earlier events.
            index += 1;
            const entry = {
              by: 'ada',
              action: 'model.renamed',
              before: { name },
              after: { name: nameOf(index) },
            };
            await writer.commit(
              'registry',
              name,
              [],
              [{ ...entry, subject: { kind: 'model', model: name } }],
            );
            await writer.commit(
              'registry',
              nameOf(index),
              [],
              [{ ...entry, subject: { kind: 'model', model: nameOf(index) } }],
            );
            truth.set(`${name} ${now}`, none);
          } else {
            const played = play(state, name, taken, newest);
            if (played === undefined) continue;
            if (taken.do === 'register') newest += 1;
            state = played.state;
            await writer.commit('registry', name, [], played.entries);
          }
          truth.set(`${nameOf(index)} ${now}`, state);
        }
        const timeline = new Timeline(store);
        for (const name of names.map((_, at) => nameOf(at))) {
          let expected = none;
          for (const at of [...times].sort((a, b) => a - b)) {
            expected = truth.get(`${name} ${at}`) ?? expected;
            const moment = await timeline.at(name, at);
            expect(flatten(moment)).toEqual({
              aliases: Object.entries(expected.aliases).sort(byText),
              stages: Object.entries(expected.stages)
                .filter(([, stage]) => stage !== 'None')
                .sort(byText),
            });
          }
        }
      }),
      { numRuns: isSlow ? 5 : 100, ...(isSlow ? { endOnFailure: true } : {}) },
    );
  },
);

const byText = (a: readonly unknown[], b: readonly unknown[]) =>
  JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;

function flatten({ aliases, stages }: Awaited<ReturnType<Timeline['at']>>) {
  return {
    aliases: [...aliases].map(([alias, { version }]) => [alias, version]).sort(byText),
    stages: [...stages]
      .flatMap(([stage, all]) => all.map(({ version }) => [String(version), stage]))
      .sort(byText),
  };
}
