import type { FaultPath, PlacedFault } from '../../../core/faults.ts';
import { unknownName } from '../../../core/faults.ts';
import { isArray, type JsonValue } from '../../../core/json/json.ts';

/** What a pipeline's parameter may be called. */
export const paramNamePattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

const reference = /^\$\{\{\s*params\.([A-Za-z][A-Za-z0-9_-]*)\s*\}\}$/;

export interface Resolved {
  /** Undefined when the whole is a reference to a parameter that was left out. */
  readonly value: JsonValue | undefined;
  /** The places in the value that came from parameters. */
  readonly origins: readonly Origin[];
  readonly faults: readonly PlacedFault[];
}

export interface Origin {
  readonly path: FaultPath;
  readonly param: string;
}

/**
 * Replaces each text that is exactly `${{ params.<name> }}` by the parameter's value, at any depth. The member whose
 * value is a parameter that was left out is left out as well.
 *
 * @param params every known parameter; undefined for one that was left out
 * @param path the place of the value; those of origins and faults begin with it
 * @example
 * resolveReferences({ a: '${{ params.n }}', b: 'n' }, new Map([['n', 7]]), []).value // { a: 7, b: 'n' }
 * resolveReferences(['${{ params.m }}'], new Map([['n', 7]]), []).faults.length // 1
 */
export function resolveReferences(
  value: JsonValue,
  params: ReadonlyMap<string, JsonValue | undefined>,
  path: FaultPath,
): Resolved {
  const origins: Origin[] = [];
  const faults: PlacedFault[] = [];
  return { value: resolve(value, path), origins, faults };

  function resolve(part: JsonValue, at: FaultPath): JsonValue | undefined {
    if (typeof part === 'string') return resolveText(part, at);
    if (part === null || typeof part !== 'object') return part;
    if (isArray(part)) return part.map((item, index) => resolve(item, [...at, index]) ?? null);
    const members = Object.entries(part).flatMap(([name, member]) => {
      const resolved = resolve(member, [...at, name]);
      return resolved === undefined ? [] : [[name, resolved] as const];
    });
    return Object.fromEntries(members);
  }

  function resolveText(text: string, at: FaultPath): JsonValue | undefined {
    if (!text.includes('${{')) return text;
    const name = reference.exec(text)?.[1];
    if (name === undefined) {
      const message = `${JSON.stringify(text.slice(0, 100))} is not a reference: write \${{ params.<name> }} and nothing else.`;
      faults.push({ path: at, message });
      return text;
    }
    if (!params.has(name)) {
      faults.push(unknownName(at, `There is no parameter "${name}"`, name, [...params.keys()]));
      return undefined;
    }
    origins.push({ path: at, param: name });
    return params.get(name);
  }
}

/** The place of a fault: below the parameter, when the faulty value came from one. */
export function traceOrigin(path: FaultPath, origins: readonly Origin[]): FaultPath {
  const origin = origins.find((each) => startsWith(path, each.path));
  return origin ? ['params', origin.param, ...path.slice(origin.path.length)] : path;
}

export function startsWith(path: FaultPath, start: FaultPath): boolean {
  return start.every((key, index) => path[index] === key);
}
