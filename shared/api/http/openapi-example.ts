import type { JsonSchema } from '../../core/json/json-schema.ts';

/**
 * An example of a schema: its own `examples` and `default`, and below them its required members and those that have
 * examples. A schema with refinements needs its own example.
 *
 * A text whose pattern no usual word matches is left undefined: give its schema an example.
 * @example
 * exampleOf({ type: 'object', properties: { n: { type: 'integer', minimum: 3 } }, required: ['n'] }) // { n: 3 }
 * exampleOf({ type: 'array', items: { type: 'string', examples: ['flights'] } }) // ['flights']
 */
export function exampleOf(schema: JsonSchema): unknown {
  const { examples, anyOf, oneOf } = schema as JsonSchema & { readonly examples?: readonly unknown[] };
  if (examples !== undefined) return examples[0];
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if ('default' in schema) return schema['default'];
  const [branch] = anyOf ?? oneOf ?? [];
  if (branch) return exampleOf(branch);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(exampleOf));
  return exampleOfType(schema);
}

function exampleOfType(schema: JsonSchema): unknown {
  switch (Array.isArray(schema.type) ? (schema.type[0] as unknown) : schema.type) {
    case 'object':
      return exampleOfObject(schema);
    case 'array':
      return [...(schema.prefixItems ?? []), ...(schema.items ? [schema.items] : [])].map(exampleOf);
    case 'string':
      return exampleOfText(schema);
    case 'integer':
    case 'number':
      return exampleOfNumber(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}

function exampleOfObject({
  properties = {},
  required = [],
  additionalProperties,
  propertyNames,
}: JsonSchema): Readonly<Record<string, unknown>> {
  const named = Object.entries(properties).filter(
    ([name, member]) => required.includes(name) || 'examples' in member,
  );
  const key = propertyNames === undefined ? 'example' : String(exampleOf(propertyNames as JsonSchema));
  const others =
    typeof additionalProperties === 'object' ? [[key, exampleOf(additionalProperties)] as const] : [];
  return Object.fromEntries([...named.map(([name, member]) => [name, exampleOf(member)]), ...others]);
}

function exampleOfNumber({ minimum, exclusiveMinimum, maximum }: JsonSchema): number {
  if (typeof minimum === 'number' && minimum > 1) return minimum;
  if (typeof exclusiveMinimum === 'number' && exclusiveMinimum >= 1) return exclusiveMinimum + 1;
  return typeof maximum === 'number' && maximum < 1 ? maximum : 1;
}

/** Words, and the shapes of ids and hashes. */
const texts = [
  'example',
  '1',
  '2026-11-23T12:00:00Z',
  'https://example.com',
  '0'.repeat(24),
  '0'.repeat(32),
  'a'.repeat(64),
  '00000000-0000-4000-8000-000000000000',
];

function exampleOfText({
  pattern,
  format,
  minLength = 0,
  maxLength = Infinity,
}: JsonSchema): string | undefined {
  const expression = typeof pattern === 'string' ? new RegExp(pattern, 'u') : /(?:)/;
  const isLong = (text: string) => text.length >= Number(minLength) && text.length <= Number(maxLength);
  if (format === 'uri') return 'https://example.com';
  return texts.find((text) => expression.test(text) && isLong(text));
}
