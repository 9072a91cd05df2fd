import { AppError } from '../../core/errors.ts';
import type { FieldPath } from '../storage/documents.ts';

/** What may stand between a field and its value; with IN goes NOT IN, and so on. Every field can be asked IS NULL. */
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN';

export const numberOperators: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
export const textOperators: readonly Operator[] = ['=', '!=', 'LIKE', 'ILIKE', 'IN'];

/** A field that can be searched by, and where it is in a document. */
export interface SearchField {
  readonly path: FieldPath;
  readonly type: 'number' | 'string';
  /** Left out: those of its type. */
  readonly operators?: readonly Operator[];
  /** A document without the field counts as different for `!=` and `NOT IN`. Left out: it never matches. */
  readonly missingIsDifferent?: boolean;
  /** Values that count as if they were there when the field is missing (`= 'false'` matches a missing one). */
  readonly missingEquals?: string;
  /** There in place of the field when its value is NaN: that is unequal to everything, and sorted after numbers. */
  readonly nanPath?: FieldPath;
  /** The values are the *names* of the members at the path, of which any may match (`datasets.name`). */
  readonly isNames?: boolean;
  /** No document is without it, and it is never NaN: an order by it needs no look at what lacks it. */
  readonly isAlways?: boolean;
  /** Further fields of the same meaning: a condition holds when it does for any of them. Not for orders. */
  readonly alternatives?: readonly SearchField[];
  /** Whether it can be ordered by; left out: yes (never by names). */
  readonly isSortable?: boolean;
}

export interface OrderTerm {
  readonly field: SearchField;
  readonly direction: 'asc' | 'desc';
}

/** What can be searched: the fields by the names that callers use, and the order when they ask for none. */
export interface SearchSubject {
  readonly what: string;
  /**
   * @param entity `metrics` in `metrics.loss`; undefined for a bare key
   * @returns undefined when the entity exists but has no such key
   * @throws INVALID_ARGUMENT for an unknown entity or key, in MLflow's words
   */
  fieldOf(entity: string | undefined, key: string): SearchField | undefined;
  /** Follows the terms that are asked for, but for fields named there; ends in a field that is unique. */
  readonly defaultOrder: readonly OrderTerm[];
  /** In place of `defaultOrder` when no order is asked for. */
  readonly orderWhenNone?: readonly OrderTerm[];
  /** How many fields at the end of either order are unique together only; 1 when left out. */
  readonly uniqueFields?: number;
}

/** One kind of field: `metrics.<key>`, with its other names (`metric`). */
export interface SearchEntity {
  /** The first is the one that errors name. */
  readonly names: readonly string[];
  /** @returns undefined when there is no such key. */
  readonly fieldOf: (key: string) => SearchField | undefined;
  /** All keys, where they are not the user's choice. */
  readonly keys?: readonly string[];
}

/**
 * A subject from its entities. The first entity is that of bare keys (MLflow: attributes).
 */
export function defineSubject(definition: {
  readonly what: string;
  readonly entities: readonly [SearchEntity, ...SearchEntity[]];
  readonly defaultOrder: readonly OrderTerm[];
  readonly orderWhenNone?: readonly OrderTerm[];
  readonly uniqueFields?: number;
}): SearchSubject {
  const { entities, ...rest } = definition;
  const byName = new Map(entities.flatMap((entity) => entity.names.map((name) => [name, entity] as const)));
  return {
    ...rest,
    fieldOf(name, key) {
      const entity = name === undefined ? entities[0] : byName.get(name);
      if (entity === undefined)
        throw new AppError(
          'INVALID_ARGUMENT',
          `Invalid entity type '${name}'. Valid values are ${list(entities.map(({ names }) => names[0]!))}`,
        );
      const field = entity.fieldOf(key);
      if (field === undefined && entity.keys !== undefined)
        throw new AppError(
          'INVALID_ARGUMENT',
          `Invalid ${entity.names[0]} key '${key}' specified. Valid keys are ${list(entity.keys)}`,
        );
      return field;
    },
  };
}

/** An entity whose keys are known: attributes. `aliases` are further names of its keys. */
export function fixedEntity(
  names: readonly string[],
  fields: Readonly<Record<string, SearchField>>,
  aliases: Readonly<Record<string, string>> = {},
): SearchEntity {
  const byKey = new Map(Object.entries(fields));
  for (const [alias, key] of Object.entries(aliases)) byKey.set(alias, fields[key]!);
  return { names, fieldOf: (key) => byKey.get(key), keys: Object.keys(fields) };
}

/** An entity with the user's keys, kept as text members of one object: tags, params. */
export function textEntity(names: readonly string[], member: string): SearchEntity {
  return {
    names,
    fieldOf: (key) => ({ path: [member, key], type: 'string' }),
  };
}

/** Metrics: numbers under one member, the keys of those that are NaN under another. */
export function metricEntity(names: readonly string[], member: string, nanMember: string): SearchEntity {
  return {
    names,
    fieldOf: (key) => ({ path: [member, key], nanPath: [nanMember, key], type: 'number' }),
  };
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(', ')}]`;
}
