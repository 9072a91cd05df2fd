import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAppError } from '../../shared/core/errors.ts';
import { type Stage, stages } from '../../shared/domains/registry/stage-names.ts';
import type { Registry } from '../../shared/domains/registry/registry.ts';
import { createRegistration, createRegistry } from '../support/tracking/registry.ts';
import { createDocuments } from '../support/stores.ts';

const names = ['m', 'n é', '__proto__'] as const;
const aliasNames = ['production', 'constructor', '__proto__'] as const;

/** A plain model of the registry. */
class Plain {
  readonly models = new Map<string, PlainModel>();

  /** @returns the code of the error, or undefined */
  apply(action: Action): string | undefined {
    if (action.kind === 'transition' && action.archive && !['Staging', 'Production'].includes(action.stage))
      return 'INVALID_ARGUMENT';
    const model = this.models.get(action.model);
    if (action.kind === 'createModel') {
      if (model) return 'ALREADY_EXISTS';
      this.models.set(action.model, { last: 0, versions: new Map(), aliases: new Map() });
      return undefined;
    }
    if (!model) return 'NOT_FOUND';
    const stage = 'version' in action ? model.versions.get(action.version) : undefined;
    switch (action.kind) {
      case 'register':
        model.last += 1;
        model.versions.set(model.last, 'None');
        return undefined;
      case 'transition':
        if (!stage) return 'NOT_FOUND';
        if (action.archive)
          for (const [version, at] of model.versions)
            if (at === action.stage && version !== action.version) model.versions.set(version, 'Archived');
        model.versions.set(action.version, action.stage);
        return undefined;
      case 'deleteVersion':
        if (!stage) return 'NOT_FOUND';
        model.versions.delete(action.version);
        for (const [alias, version] of model.aliases)
          if (version === action.version) model.aliases.delete(alias);
        return undefined;
      case 'moveAlias':
        if (!stage) return 'NOT_FOUND';
        model.aliases.set(action.alias, action.version);
        return undefined;
      case 'deleteAlias':
        model.aliases.delete(action.alias);
        return undefined;
      case 'rename':
        if (action.to === action.model) return undefined;
        if (this.models.has(action.to)) return 'ALREADY_EXISTS';
        this.models.delete(action.model);
        this.models.set(action.to, model);
        return undefined;
      case 'deleteModel':
        this.models.delete(action.model);
        return undefined;
    }
  }
}

interface PlainModel {
  last: number;
  readonly versions: Map<number, Stage>;
  readonly aliases: Map<string, number>;
}

type Action = { readonly model: string } & (
  | { readonly kind: 'createModel' | 'register' | 'deleteModel' }
  | {
      readonly kind: 'transition';
      readonly version: number;
      readonly stage: Stage;
      readonly archive: boolean;
    }
  | { readonly kind: 'deleteVersion'; readonly version: number }
  | { readonly kind: 'moveAlias'; readonly alias: string; readonly version: number }
  | { readonly kind: 'deleteAlias'; readonly alias: string }
  | { readonly kind: 'rename'; readonly to: string }
);

const model = fc.constantFrom(...names);
const version = fc.integer({ min: 1, max: 5 });
const alias = fc.constantFrom(...aliasNames);
const kind = <Kind extends string>(name: Kind) => fc.constant(name);
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: kind('createModel'), model }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('register'), model }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('transition'),
      model,
      version,
      stage: fc.constantFrom(...stages),
      archive: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('deleteVersion'), model, version }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('moveAlias'), model, alias, version }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('deleteAlias'), model, alias }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('rename'), model, to: model }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('deleteModel'), model }) },
);

async function perform(registry: Registry, action: Action): Promise<string | undefined> {
  const by = 'ada';
  try {
    switch (action.kind) {
      case 'createModel':
        await registry.models.create({ name: action.model }, by);
        break;
      case 'register':
        await createRegistration(registry).register({ model: action.model, source: 's3://b/m' }, by);
        break;
      case 'transition':
        await registry.stages.transition(action.model, action.version, action.stage, action.archive, by);
        break;
      case 'deleteVersion':
        await registry.stages.remove(action.model, action.version, by);
        break;
      case 'moveAlias':
        await registry.aliases.move(action.model, action.alias, action.version, by);
        break;
      case 'deleteAlias':
        await registry.aliases.remove(action.model, action.alias, by);
        break;
      case 'rename':
        await registry.models.rename(action.model, action.to, by);
        break;
      case 'deleteModel':
        await registry.models.remove(action.model, by);
        break;
    }
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

async function describe(registry: Registry): Promise<unknown> {
  const { items } = await registry.models.list({ limit: 100 });
  return Promise.all(
    items.map(async ({ name, latestVersion, aliases, latestByStage }) => ({
      name,
      last: latestVersion,
      versions: (await registry.versions.list(name, { limit: 100 })).items.map((found) => [
        found.version,
        found.stage,
        found.aliases,
      ]),
      aliases: new Map(Object.entries(aliases)),
      latest: new Map(Object.entries(latestByStage)),
    })),
  );
}

function describePlain({ models }: Plain): unknown {
  return [...models.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { last, versions, aliases }]) => {
      const ordered = [...versions].sort(([a], [b]) => b - a);
      const latest = new Map<Stage, number>();
      for (const [number, stage] of ordered) if (!latest.has(stage)) latest.set(stage, number);
      const at = (number: number) =>
        [...aliases].flatMap(([text, target]) => (target === number ? [text] : [])).sort();
      return {
        name,
        last,
        versions: ordered.map(([number, stage]) => [number, stage, at(number)]),
        aliases: new Map(aliases),
        latest,
      };
    });
}

test('the registry behaves like a plain model of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAction, { minLength: 1, maxLength: 40 }), async (actions) => {
      const registry = createRegistry(createDocuments());
      const plain = new Plain();
      // So that most sequences have an effect.
      const all: Action[] = [{ kind: 'createModel', model: 'm' }, ...actions];
      let renamedFrom = new Map<string, string>();
      for (const action of all) {
        const before = plain.models.has(action.model);
        const expected = plain.apply(action);
        const found = await perform(registry, action);
        // Repeating a completed rename changes nothing.
        const isRepeated = action.kind === 'rename' && !before && renamedFrom.get(action.to) === action.model;
        expect(found, JSON.stringify(action)).toBe(isRepeated ? undefined : expected);
        if (expected === undefined) {
          if (action.kind === 'rename' && action.to !== action.model) {
            renamedFrom = new Map([...renamedFrom].filter(([to]) => to !== action.model));
            renamedFrom.set(action.to, action.model);
          }
          if (action.kind === 'deleteModel') renamedFrom.delete(action.model);
        }
      }
      expect(await describe(registry)).toEqual(describePlain(plain));
    }),
    { numRuns: 60 },
  );
});
