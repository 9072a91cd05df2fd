import type { FieldPath } from '../storage/documents.ts';
import { searchErrors } from './errors.ts';

/** The operator of a condition; IN implies NOT IN, and so on. Every field supports IS NULL. */
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN';

export const numberOperators: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
export const textOperators: readonly Operator[] = ['=', '!=', 'LIKE', 'ILIKE', 'IN'];

/** A searchable field, and where documents store it. */
export interface SearchField {
  readonly path: FieldPath;
  readonly type: 'number' | 'string';
  /** Default: those of its type. */
  readonly operators?: readonly Operator[];
  /** Documents without the field match `!=` and `NOT IN`. Default: they match nothing. */
  readonly missingIsDifferent?: boolean;
  /** The value of a missing field (with 'false', `= 'false'` matches documents without it). */
  readonly missingEquals?: string;
  /** Marks documents whose value is NaN, which equals nothing and sorts after numbers. */
  readonly nanPath?: FieldPath;
  /** The values are the *names* of the members at the path; any may match (`datasets.name`). */
  readonly isNames?: boolean;
  /** Every document has it, and it is never NaN: sorting by it needs no pass over the rest. */
  readonly isAlways?: boolean;
  /** Fields of the same meaning: a condition holds if it holds for any of them. Ignored in orders. */
  readonly alternatives?: readonly SearchField[];
  /** Default: true, except for `isNames`. */
  readonly isSortable?: boolean;
}

export interface OrderTerm {
  readonly field: SearchField;
  readonly direction: 'asc' | 'desc';
}

/** The fields of a kind of document, and its default order. */
export interface SearchSubject {
  /** The plural, for errors: `runs`. */
  readonly what: string;
  /** Bare keys belong to the first. */
  readonly entities: readonly [SearchEntity, ...SearchEntity[]];
  /** Appended to the requested terms, except for fields named there; ends in a unique field. */
  readonly defaultOrder: readonly OrderTerm[];
  /** Replaces `defaultOrder` when no order is requested. */
  readonly orderWhenNone?: readonly OrderTerm[];
  /** How many fields at the end of either order are unique only together; 1 by default. */
  readonly uniqueFields?: number;
}

/** A kind of field: `metrics.<key>`, with its other names (`metric`). */
export interface SearchEntity {
  /** Errors use the first. */
  readonly names: readonly [string, ...string[]];
  /** @returns undefined for an unknown key */
  readonly fieldOf: (key: string) => SearchField | undefined;
  /** The known keys, where users do not choose them. */
  readonly keys?: readonly string[];
}

/** A caller's names for a subject's bare keys, each with the subject's own. */
export interface FieldNames {
  /** Replace the subject's own names; default: those. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Accepted as well, but not listed in errors. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/**
 * @param entity `metrics` in `metrics.loss`; undefined for a bare key
 * @param at the position, for errors
 * @returns undefined when the entity has no such key
 * @throws INVALID_ARGUMENT for an unknown entity, or an unknown key where users do not choose keys
 */
export function findField(
  { entities }: SearchSubject,
  entity: string | undefined,
  key: string,
  at: { readonly character?: number } = {},
): SearchField | undefined {
  const found = entity === undefined ? entities[0] : entities.find(({ names }) => names.includes(entity));
  if (found === undefined)
    throw searchErrors.entityUnknown({
      entity: entity!,
      entities: entities.map(({ names }) => names[0]),
      ...at,
    });
  const field = found.fieldOf(key);
  if (field === undefined && found.keys !== undefined)
    throw searchErrors.keyUnknown({ entity: found.names[0], key, keys: found.keys, ...at });
  return field;
}

/** The subject with a caller's names for its bare keys. */
export function withNames(subject: SearchSubject, { keys, aliases = {} }: FieldNames): SearchSubject {
  const [first, ...others] = subject.entities;
  const names = new Map(Object.entries({ ...keys, ...aliases }));
  const named: SearchEntity = {
    ...first,
    ...(keys === undefined ? {} : { keys: Object.keys(keys) }),
    fieldOf: (key) => {
      const own = names.get(key) ?? (keys === undefined ? key : undefined);
      return own === undefined ? undefined : first.fieldOf(own);
    },
  };
  return { ...subject, entities: [named, ...others] };
}

/** Names to accept besides the subject's own. */
export function asAliases({ keys, aliases }: FieldNames): FieldNames {
  return { aliases: { ...keys, ...aliases } };
}

/** An entity with fixed keys: attributes. */
export function fixedEntity(
  names: SearchEntity['names'],
  fields: Readonly<Record<string, SearchField>>,
): SearchEntity {
  const byKey = new Map(Object.entries(fields));
  return { names, fieldOf: (key) => byKey.get(key), keys: [...byKey.keys()] };
}

/** An entity with user-defined keys, stored as text members of one object: tags, params. */
export function textEntity(names: SearchEntity['names'], member: string): SearchEntity {
  return {
    names,
    fieldOf: (key) => ({ path: [member, key], type: 'string' }),
  };
}

/** Metrics: numbers under one member, the keys of NaN values under another. */
export function metricEntity(names: SearchEntity['names'], member: string, nanMember: string): SearchEntity {
  return {
    names,
    fieldOf: (key) => ({ path: [member, key], nanPath: [nanMember, key], type: 'number' }),
  };
}
