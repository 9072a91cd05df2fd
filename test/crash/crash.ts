import { parseArgs } from 'node:util';
import { demoLoop } from './demo-loop.ts';
import { ingestion } from './ingestion.ts';
import { createRandom, runScenario } from './rounds.ts';

/**
 * Kills the platform with SIGKILL at random moments, restarts it, and checks that everything ends as it does without
 * kills.
 *
 * `npm run test:crash -- --kills 50 --seed 1 --only ingestion`
 */
const { values: flags } = parseArgs({
  options: {
    /** Per scenario. */
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    only: { type: 'string' },
  },
});
const scenarios = {
  demo: (options: Parameters<typeof runScenario>[1]) => runScenario(demoLoop, options),
  ingestion: (options: Parameters<typeof runScenario>[1]) => runScenario(ingestion, options),
};
const random = createRandom(Number(flags.seed));
let kills = 0;
let passed = 0;
const failures: string[] = [];
console.log(`seed ${flags.seed}`);
for (const [name, run] of Object.entries(scenarios)) {
  if (flags.only !== undefined && flags.only !== name) continue;
  const result = await run({ kills: Number(flags.kills), random });
  kills += result.kills;
  passed += result.passed;
  failures.push(...result.failures);
}
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`\n${kills} SIGKILLs survived`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
