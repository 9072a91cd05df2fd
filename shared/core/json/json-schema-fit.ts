import type { JsonSchema } from './json-schema.ts';

/** Where values of one schema are invalid for the other, and why. */
export interface Misfit {
  /** The place within the value. */
  readonly path: readonly (string | number)[];
  readonly reason: string;
}

/**
 * Checks whether every value of `given` is valid for `wanted`. Compares types, members, items, alternatives and
 * constants, but not bounds, patterns, formats and key names, which depend on the value. An object may have more
 * members than `wanted` names unless `wanted` forbids them. Sound but not complete: it may report schemas whose
 * alternatives overlap in unusual ways. Cost: product of the sizes.
 *
 * @returns the first misfit; undefined when `given` fits
 * @example
 * findMisfit({ type: 'integer' }, { type: 'number' }) // undefined
 * findMisfit({ type: 'string' }, { type: 'number' })?.reason // 'is a string, not a number'
 * findMisfit({ type: 'object', properties: {} }, { type: 'object', required: ['a'] })?.path // ['a']
 */
export function findMisfit(given: JsonSchema, wanted: JsonSchema): Misfit | undefined {
  return compare(given, wanted, []);
}

type Path = Misfit['path'];

function compare(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  const alternatives = expand(given);
  for (const alternative of alternatives) {
    const misfit = fitsOne(alternative, wanted, path);
    if (misfit) return misfit;
  }
  return undefined;
}

/** @param given one alternative, with one type or constant */
function fitsOne(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  for (const part of wanted.allOf ?? []) {
    const misfit = fitsOne(given, part, path);
    if (misfit) return misfit;
  }
  const choices = expand(wanted);
  const misfits = choices.map((choice) => fitsType(given, choice, path));
  if (misfits.some((misfit) => misfit === undefined)) return undefined;
  // The deepest misfit belongs to the intended alternative.
  return misfits.reduce((a, b) => ((b?.path.length ?? 0) > (a?.path.length ?? 0) ? b : a));
}

function fitsType(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  if ('const' in wanted) {
    const fits = 'const' in given && given.const === wanted.const;
    return fits ? undefined : { path, reason: `${nameOf(given)}, not ${JSON.stringify(wanted.const)}` };
  }
  if (wanted.type === undefined) return undefined;
  const isWhole = given.type === 'integer' && wanted.type === 'number';
  if (given.type !== wanted.type && !isWhole)
    return { path, reason: `${nameOf(given)}, not ${withArticle(String(wanted.type))}` };
  if (wanted.type === 'object') return compareMembers(given, wanted, path);
  return wanted.type === 'array' ? compareItems(given, wanted, path) : undefined;
}

function compareMembers(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  const { properties: members = {} } = given;
  const { properties: targets = {} } = wanted;
  const lacking = (wanted.required ?? []).find((name) => !(given.required ?? []).includes(name));
  if (lacking !== undefined) {
    const reason = Object.hasOwn(members, lacking) ? 'is optional' : 'is missing';
    return { path: [...path, lacking], reason };
  }
  for (const [name, member] of Object.entries(members)) {
    const target = Object.hasOwn(targets, name) ? targets[name] : wanted.additionalProperties;
    if (target === false) return { path: [...path, name], reason: 'is not allowed' };
    const misfit = isSchema(target) ? compare(member, target, [...path, name]) : undefined;
    if (misfit) return misfit;
  }
  return compareOtherMembers(given, wanted, path);
}

/** Unnamed members of `given` can have any name that `wanted` expects. */
function compareOtherMembers(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  const others = given.additionalProperties ?? true;
  if (others === false) return undefined;
  if (wanted.additionalProperties === false) return { path, reason: 'may have other members' };
  const unnamed = Object.entries(wanted.properties ?? {}).filter(
    ([name]) => !Object.hasOwn(given.properties ?? {}, name),
  );
  const targets = [...unnamed.map(([, member]) => member), wanted.additionalProperties].filter(isSchema);
  return firstMisfit(targets, (target) => compare(others === true ? {} : others, target, [...path, '*']));
}

function compareItems(given: JsonSchema, wanted: JsonSchema, path: Path): Misfit | undefined {
  const first = given.prefixItems ?? [];
  const wantedFirst = wanted.prefixItems ?? [];
  if (wantedFirst.length > first.length) return { path, reason: 'may have fewer items' };
  const at = (items: readonly JsonSchema[], rest: JsonSchema | undefined, index: number) =>
    items[index] ?? rest ?? {};
  for (const [index, item] of first.entries()) {
    const misfit = compare(item, at(wantedFirst, wanted.items, index), [...path, index]);
    if (misfit) return misfit;
  }
  // A tuple without `items` has no further items.
  if (given.items === undefined && given.prefixItems !== undefined) return undefined;
  return compare(given.items ?? {}, wanted.items ?? {}, [...path, '*']);
}

/** Splits a schema into alternatives of one type or constant; `{}` accepts anything. */
function expand(schema: JsonSchema): readonly JsonSchema[] {
  const unions = [schema.anyOf, schema.oneOf].find((branches) => branches !== undefined);
  if (unions) return unions.flatMap(expand);
  if (schema.enum) return schema.enum.map((value) => ({ const: value, type: typeOf(value) }));
  if ('const' in schema) return [{ const: schema['const'], type: typeOf(schema['const']) }];
  if (Array.isArray(schema.type))
    return (schema.type as readonly string[]).map((type) => ({ ...schema, type }));
  return [schema];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function nameOf(given: JsonSchema): string {
  if ('const' in given) return `may be ${JSON.stringify(given.const)}`;
  return given.type === undefined ? 'may be anything' : `is ${withArticle(String(given.type))}`;
}

function withArticle(type: string): string {
  if (type === 'null') return type;
  return `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`;
}

function isSchema(value: JsonSchema | boolean | undefined): value is JsonSchema {
  return typeof value === 'object';
}

function firstMisfit<T>(items: readonly T[], find: (item: T) => Misfit | undefined): Misfit | undefined {
  for (const item of items) {
    const misfit = find(item);
    if (misfit) return misfit;
  }
  return undefined;
}
