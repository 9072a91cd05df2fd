import { AppError, type ErrorCode, isAppError } from './errors.ts';

/** A kind of error: its code, and a message made of its facts. */
export interface ErrorKind<Facts extends object> {
  readonly code: ErrorCode;
  readonly describe: (facts: Facts) => string;
}

type AnyKind = ErrorKind<never>;
type NoFacts = Readonly<Record<string, never>>;

/** Makes errors of one kind, with its name as `details.reason`, and recognizes them. */
export interface ErrorMaker<Facts extends object> {
  (facts: Facts, cause?: unknown): AppError;
  is(error: unknown): error is AppError & { readonly details: Facts };
}

interface PlainErrorMaker extends ErrorMaker<NoFacts> {
  (facts?: NoFacts, cause?: unknown): AppError;
}

export type ErrorMakers<Kinds extends Readonly<Record<string, AnyKind>>> = {
  readonly [Reason in keyof Kinds]: Kinds[Reason] extends ErrorKind<infer Facts>
    ? [Facts] extends [never]
      ? PlainErrorMaker
      : ErrorMaker<Facts>
    : never;
};

/** The wording of errors in another protocol, by reason. Kinds without an entry keep the platform's message. */
export type ErrorWordings<Makers> = {
  readonly [Reason in keyof Makers]?: Makers[Reason] extends ErrorMaker<infer Facts>
    ? (facts: Facts) => string
    : never;
};

export function errorKind<Facts extends object>(
  code: ErrorCode,
  describe: (facts: Facts) => string,
): ErrorKind<Facts> {
  return { code, describe };
}

/**
 * Declares the errors of a module. Callers switch on the reason and read the facts, both in `details`; the message is
 * for people.
 *
 * @param kinds by reason, which is unique across modules: `runMissing`
 * @example
 * const errors = defineErrors({
 *   runMissing: errorKind('NOT_FOUND', ({ runId }) => `There is no run "${runId}".`),
 * });
 * errors.runMissing({ runId: 'r1' }).message // 'There is no run "r1".'
 * errors.runMissing({ runId: 'r1' }).details // { reason: 'runMissing', runId: 'r1' }
 * errors.runMissing.is(errors.runMissing({ runId: 'r1' })) // true
 */
export function defineErrors<const Kinds extends Readonly<Record<string, AnyKind>>>(
  kinds: Kinds,
): ErrorMakers<Kinds> {
  const makers = Object.entries<AnyKind>(kinds).map(([reason, { code, describe }]) => {
    const make = (facts: object = {}, cause?: unknown) =>
      new AppError(code, describe(facts as never), { reason, ...facts }, cause);
    const is = (error: unknown) => isAppError(error, code) && error.details['reason'] === reason;
    return [reason, Object.assign(make, { is })];
  });
  return Object.fromEntries(makers) as ErrorMakers<Kinds>;
}
