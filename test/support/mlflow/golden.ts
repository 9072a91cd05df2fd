import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { runScript, type ScriptStep, type Send } from './script.ts';

/** The answer of a real server to one step of a script. */
export interface Recorded {
  readonly path: string;
  readonly status: number;
  readonly json: { readonly error_code?: string; readonly message?: string };
}

export interface GoldenOptions {
  /** In test/golden/mlflow, without `.json`. */
  readonly name: string;
  readonly script: readonly ScriptStep[];
  /** Steps with an intended difference by title, and its reason. */
  readonly differences: Readonly<Record<string, string>>;
  readonly titleOf: (step: ScriptStep) => string;
  /** The compared part of an answer. */
  readonly summarise: (path: string, answer: Pick<Recorded, 'status' | 'json'>) => unknown;
}

/** Runs a script against our services and compares each answer with the real server's. */
export async function expectRecorded(send: Send, options: GoldenOptions): Promise<void> {
  const { name, script, differences, titleOf, summarise } = options;
  const file = new URL(`../../golden/mlflow/${name}.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];
  const results = await runScript(script, send);
  expect(results.map(({ request }) => request.path)).toEqual(golden.map(({ path }) => path));
  results.forEach(({ request, answer }, index) => {
    const title = titleOf(request);
    const ours = answer as Pick<Recorded, 'status' | 'json'>;
    const found = expect.soft(summarise(request.path, ours), `${title}: ${ours.json.message}`);
    const theirs = summarise(request.path, golden[index]!);
    if (title in differences) found.not.toEqual(theirs);
    else found.toEqual(theirs);
  });
}

/**
 * The whole of a success; of an error the status, the code and the stem of the message, because messages have our own
 * wording except for the parts that clients look for.
 */
export function summariseBy(stem: RegExp): GoldenOptions['summarise'] {
  return (_path, { status, json }) =>
    status === 200
      ? { status, json }
      : { status, error_code: json.error_code, stem: stem.exec(json.message ?? '')?.[0] };
}
