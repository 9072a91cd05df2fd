import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformProcess } from '../../local/platform-process.ts';
import { patienceMs } from '../support/hang-guard.ts';

/** The work of a platform under kills, and its expected result. */
export interface Scenario<Result> {
  readonly name: string;
  /** Creates the files that rounds drop, once. */
  readonly prepare: (folder: string) => Promise<void>;
  readonly begin: (platform: PlatformProcess) => Promise<void>;
  readonly hasEnded: (platform: PlatformProcess) => Promise<boolean>;
  /** Waits for the end, checks everything, and returns what must be equal in each round. */
  readonly finish: (platform: PlatformProcess, check: Check) => Promise<Result>;
  readonly isAlike: (calm: Result, round: Result) => boolean;
}

export type Check = (ok: boolean, failure: string) => void;

const killsPerRound = 6;

/** Runs a scenario once without kills, and then with kills at random moments until there were enough. */
export async function runScenario<Result>(
  scenario: Scenario<Result>,
  options: { readonly kills: number; readonly random: () => number },
): Promise<{ readonly kills: number; readonly passed: number; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  let passed = 0;
  let kills = 0;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-crash-'));
  const checkAs =
    (round: string): Check =>
    (ok, failure) => {
      if (ok) passed += 1;
      else failures.push(`${scenario.name}, ${round}: ${failure}`);
    };

  /** In its own data folder; `calmMs` 0 disables kills. */
  const runRound = async (name: string, calmMs: number) => {
    const dataDir = join(folder, name);
    const start = () => PlatformProcess.start({ port: 0, dataDir, timeoutMs: patienceMs });
    let platform = await start();
    const moments: string[] = [];
    try {
      await scenario.begin(platform);
      const begunAt = performance.now();
      const mostKills = calmMs > 0 ? killsPerRound : 0;
      for (let i = 0; i < mostKills && kills < options.kills; i += 1) {
        const afterMs = Math.round(options.random() * (calmMs / 2));
        await sleep(afterMs);
        if (await scenario.hasEnded(platform)) break;
        await platform.kill();
        kills += 1;
        moments.push(`+${afterMs}ms`);
        platform = await start();
      }
      const result = await scenario.finish(platform, checkAs(name));
      return { result, moments, durationMs: Math.round(performance.now() - begunAt) };
    } finally {
      await platform.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  };

  try {
    await scenario.prepare(folder);
    const calm = await runRound('calm', 0);
    console.log(`${scenario.name}: ${calm.durationMs} ms without crashes`);
    for (let round = 1; kills < options.kills; round += 1) {
      const before = kills;
      const { result, moments } = await runRound(`round-${round}`, calm.durationMs);
      checkAs(`round-${round}`)(
        scenario.isAlike(calm.result, result),
        'the result differs from that without crashes',
      );
      console.log(
        `${scenario.name}, round ${round}: ${kills - before} kills, ${kills}/${options.kills} in all, ${moments.join(' ')}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return { kills, passed, failures };
}

/** A small reproducible generator (the constants are Numerical Recipes'). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
