import { hostBench } from './host.ts';
import type { Figure } from './figure.ts';
import { ingestBench } from './ingest.ts';
import { trackingBench } from './tracking.ts';

/** Every benchmark: a new one is a file and a line here. */
const benches: Record<string, () => AsyncIterable<Figure>> = {
  host: hostBench,
  ingest: ingestBench,
  tracking: trackingBench,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (names.length === 0 || unknown.length > 0) {
  console.error(`Usage: npm run bench -- <name>…, with a name of: ${Object.keys(benches).join(', ')}`);
  process.exit(1);
}
for (const name of names) {
  for await (const figure of benches[name]?.() ?? []) console.log(JSON.stringify(figure));
}
