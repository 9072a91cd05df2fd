import { AppError } from '../../shared/core/errors.ts';
import type { CoreBinding, CoreFunctionMetadata, CoreRetryOptions, Registrations } from './core-api.ts';

/** A registered function with its bindings by role. */
export interface FunctionEntry {
  readonly name: string;
  readonly trigger: NamedBinding;
  readonly inputs: readonly NamedBinding[];
  /** The `$return` binding, if any. */
  readonly returns?: NamedBinding;
  readonly outputs: readonly NamedBinding[];
  readonly retry?: CoreRetryOptions;
}

export interface NamedBinding extends CoreBinding {
  readonly name: string;
}

/** The host's rule for function names, which it compares without case. */
const namePattern = /^[a-z][a-z0-9_-]{0,127}$/i;

/**
 * Builds the table of an app's functions, by name.
 *
 * @throws AppError INVALID_ARGUMENT naming every invalid or duplicate name
 */
export function buildFunctionTable(registrations: Registrations): readonly FunctionEntry[] {
  const problems = [...registrations.problems];
  const seen = new Map<string, string>();
  const entries = [...registrations.functions.values()].map(({ metadata }) => {
    const { name } = metadata;
    if (!namePattern.test(name))
      problems.push(
        `"${name}" is not a valid function name: use a letter, then up to 127 letters, digits, "_" or "-"`,
      );
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined && twin !== name)
      problems.push(`"${twin}" and "${name}" differ only in case; function names are case-insensitive`);
    seen.set(name.toLowerCase(), name);
    return toEntry(metadata);
  });
  if (problems.length > 0)
    throw new AppError('INVALID_ARGUMENT', `The app's functions cannot be hosted: ${problems.join('; ')}.`, {
      problems,
    });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function toEntry(metadata: CoreFunctionMetadata): FunctionEntry {
  const bindings = Object.entries(metadata.bindings).map(([name, binding]) => ({ ...binding, name }));
  const isTrigger = ({ type }: NamedBinding): boolean => /trigger$/i.test(type);
  const trigger = bindings.find(isTrigger);
  if (!trigger) throw new AppError('INVALID_ARGUMENT', `Function "${metadata.name}" has no trigger.`);
  const returns = bindings.find(({ name, direction }) => name === '$return' && direction === 'out');
  return {
    name: metadata.name,
    trigger,
    inputs: bindings.filter((binding) => binding.direction === 'in' && !isTrigger(binding)),
    ...(returns && { returns }),
    outputs: bindings.filter(({ name, direction }) => direction === 'out' && name !== '$return'),
    ...(metadata.retryOptions && { retry: metadata.retryOptions }),
  };
}

/**
 * Renders the table as stable JSON (two-space indent, keys in code-point order, no undefined) for the golden file that
 * reveals every changed registration.
 */
export function renderFunctionTable(table: readonly FunctionEntry[]): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, member]) => [key, sorted(member)]),
    );
  };
  return `${JSON.stringify(sorted(table), undefined, 2)}\n`;
}
