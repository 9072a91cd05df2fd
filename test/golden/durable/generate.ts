/** Writes the golden recordings: `node test/golden/durable/generate.ts`. Read the diff before you commit it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { record, scenarios } from './scenarios.ts';

for (const [name, steps] of Object.entries(scenarios)) {
  const recording = await record(steps);
  writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(recording, null, 2)}\n`);
}
