import { AppError } from '../../shared/core/errors.ts';
import type { DurableFunction, FunctionKind } from './model.ts';

const maxInstanceIdLength = 256;

/** `@name@key` with the name in lower case: the extension's id of an entity. */
export function entityIdOf(name: string, key: string): string {
  return `@${name.toLowerCase()}@${key}`;
}

export function partsOfEntityId(entityId: string): { readonly name: string; readonly key: string } {
  const at = entityId.indexOf('@', 1);
  return { name: entityId.slice(1, at), key: entityId.slice(at + 1) };
}

/** @throws AppError INVALID_ARGUMENT with the text of DurableClient.StartNewAsync */
export function requireInstanceId(instanceId: string): void {
  if (instanceId.startsWith('@'))
    throw new AppError('INVALID_ARGUMENT', 'Orchestration instance ids must not start with @.');
  // oxlint-disable-next-line no-control-regex -- control characters are what is forbidden
  if (/[/\\#?\u0000-\u001f\u007f-\u009f]/.test(instanceId))
    throw new AppError(
      'INVALID_ARGUMENT',
      'Orchestration instance ids must not contain /, \\, #, ?, or control characters.',
    );
  if (instanceId.length > maxInstanceIdLength)
    throw new AppError(
      'INVALID_ARGUMENT',
      `Instance ID lengths must not exceed ${maxInstanceIdLength} characters.`,
    );
}

/** @throws AppError INVALID_ARGUMENT unless it has 3 to 45 letters and digits and begins with a letter */
export function requireHubName(hubName: string): void {
  if (!/^[A-Za-z][A-Za-z0-9]{2,44}$/.test(hubName))
    throw new AppError(
      'INVALID_ARGUMENT',
      `Task hub name '${hubName}' should contain only alphanumeric characters, start with a letter, and have length between 3 and 45.`,
      { hubName },
    );
}

/** The registered functions. Compares names without case, as everywhere in Functions. */
export class FunctionRegistry {
  readonly #names: Readonly<Record<FunctionKind, ReadonlyMap<string, string>>>;

  constructor(functions: readonly DurableFunction[]) {
    const namesOf = (kind: FunctionKind): ReadonlyMap<string, string> =>
      new Map(functions.filter((item) => item.kind === kind).map(({ name }) => [name.toLowerCase(), name]));
    this.#names = {
      orchestration: namesOf('orchestration'),
      activity: namesOf('activity'),
      entity: namesOf('entity'),
    };
  }

  /** @returns the registered name */
  find(kind: FunctionKind, name: string): string | undefined {
    return this.#names[kind].get(name.toLowerCase());
  }

  /** @returns null when the function exists, otherwise the extension's message */
  whyUnknown(kind: FunctionKind, name: string): string | null {
    if (this.find(kind, name) !== undefined) return null;
    const noun = kind === 'orchestration' ? 'orchestrator' : kind;
    const known = [...this.#names[kind].values()];
    const info =
      known.length === 0
        ? `No ${noun} functions are currently registered!`
        : `The following are the known ${noun} functions: '${known.join("', '")}'.`;
    return `The function '${name}' doesn't exist, is disabled, or is not an ${noun} function. Additional info: ${info}`;
  }
}
