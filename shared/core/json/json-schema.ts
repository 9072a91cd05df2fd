import { z } from 'zod';

/** The keywords of JSON Schema that zod emits. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

const cache = { input: new WeakMap<z.ZodType, JsonSchema>(), output: new WeakMap<z.ZodType, JsonSchema>() };

/**
 * Converts a zod schema to JSON Schema (2020-12) of its input or output. Drops refinements. The references of a
 * recursive schema dangle when the result is embedded elsewhere.
 */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const known = cache[io].get(schema);
  if (known) return known;
  const { $schema: _, ...written } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  });
  cache[io].set(schema, written as JsonSchema);
  return written as JsonSchema;
}

export function isRecursive(schema: JsonSchema): boolean {
  return JSON.stringify(schema).includes('"$ref"');
}

/** The schemas of a value at `path`: several below a union, none for an unknown path. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  return path.reduce<readonly JsonSchema[]>(
    (places, key) => places.flatMap((place) => membersOf(place, key)),
    branchesOf(schema),
  );
}

/** The known keys of objects with these schemas. */
export function keysOf(schemas: readonly JsonSchema[]): readonly string[] {
  return [...new Set(schemas.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

/** A schema and its alternatives. */
function branchesOf(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf = [], oneOf = [], allOf = [] } = schema;
  return [schema, ...[...anyOf, ...oneOf, ...allOf].flatMap(branchesOf)];
}

function membersOf(schema: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  const { properties = {}, additionalProperties, items, prefixItems = [] } = schema;
  if (typeof key === 'number') {
    const item = prefixItems[key] ?? items;
    return item ? branchesOf(item) : [];
  }
  const name = String(key);
  const named = Object.hasOwn(properties, name) ? properties[name] : undefined;
  const member = named ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  return member ? branchesOf(member) : [];
}
