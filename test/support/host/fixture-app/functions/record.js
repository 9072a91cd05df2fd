import { appendFileSync } from 'node:fs';

/** Records what a function saw, as a JSON line in the file FIXTURE_LOG. */
export function record(name, seen) {
  const bytesAsText = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value);
  appendFileSync(process.env.FIXTURE_LOG, `${JSON.stringify({ name, ...seen }, bytesAsText)}\n`);
}
