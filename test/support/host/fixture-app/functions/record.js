import { appendFileSync } from 'node:fs';

/** Tells the test what a function saw: one JSON line in the file that FIXTURE_LOG names. */
export function record(name, seen) {
  const bytesAsText = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value);
  appendFileSync(process.env.FIXTURE_LOG, `${JSON.stringify({ name, ...seen }, bytesAsText)}\n`);
}
