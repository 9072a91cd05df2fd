import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { app } from '@azure/functions';
import { z } from 'zod';
import { createByteBudget } from '../../../../../shared/api/http/byte-budget.ts';
import { defineRoute, type Reply, type Route } from '../../../../../shared/api/http/route.ts';
import { serve } from '../../../../../functions/hosting/serve.ts';
import { patienceMs } from '../../../hang-guard.ts';

/** Routes that stream, served as the platform serves its own. They record events in the file `FIXTURE_LOG`. */
app.setup({ enableHttpStream: true });

const options = {
  auth: 'off',
  now: () => 0,
  bodies: createByteBudget(2 ** 20),
  idleMs: patienceMs,
} as const;
/** For the routes whose bodies stall; the others have all the time they need. */
const hastyIdleMs = 400;
const note = (name: string) =>
  appendFileSync(process.env['FIXTURE_LOG'] ?? '', `${JSON.stringify({ name })}\n`);
const megabyte = new Uint8Array(2 ** 20).fill(7);

function add(
  name: string,
  method: 'GET' | 'POST',
  handle: Route['handle'],
  { idleMs = options.idleMs, ...more }: Partial<Route> & { readonly idleMs?: number } = {},
): void {
  const route = defineRoute({
    name,
    method,
    path: name,
    summary: name,
    authLevel: 'anonymous',
    role: 'anonymous',
    timeoutMs: patienceMs,
    returns: { status: 200, description: 'Done.' },
    handle,
    ...more,
  });
  app.http(name, {
    methods: [method, 'HEAD'],
    route: name,
    authLevel: 'anonymous',
    handler: (request, context) => serve(route, request.params, request, context, { ...options, idleMs }),
  });
}

/** Yields megabytes as fast as they are read, and records how many when it is closed. */
async function* megabytes(count: number) {
  let given = 0;
  try {
    for (; given < count; given += 1) yield megabyte;
  } finally {
    note(`closed after ${given}`);
  }
}

const down = (count: number, headers: Reply['headers'] = {}): Promise<Reply> =>
  Promise.resolve({ stream: megabytes(count), headers: { 'content-type': 'x/bytes', ...headers } });

const count: Route['handle'] = async ({ bytes }) => {
  let sizeBytes = 0;
  for await (const chunk of bytes) sizeBytes += chunk.length;
  return { json: { sizeBytes } };
};
add('count', 'POST', count);
add('count-in-time', 'POST', count, { timeoutMs: 300 });
add('count-hasty', 'POST', count, { idleMs: hastyIdleMs });
add('first-only', 'POST', async ({ bytes }) => {
  for await (const chunk of bytes) return { json: { first: chunk.length > 0 } };
  return { json: {} };
});
add('json', 'POST', async () => ({ json: {} }), { body: z.unknown(), maxBodyBytes: 1_000 });
add('large', 'GET', () => down(Number(process.env['FIXTURE_MEGABYTES'] ?? 64)));
add('sized', 'GET', () => down(2, { 'content-length': String(2 * 2 ** 20) }));
add('short', 'GET', () => down(2, { 'content-length': String(3 * 2 ** 20) }));
add('breaks', 'GET', async () => ({
  stream: (async function* () {
    yield* [megabyte, megabyte];
    await sleep(20);
    throw new Error('secret detail');
  })(),
}));
add('fails-at-once', 'GET', async () => ({
  stream: (async function* () {
    yield* [];
    throw new Error('secret detail');
  })(),
}));
add(
  'stalls',
  'GET',
  async () => ({
    stream: (async function* () {
      yield megabyte;
      await new Promise(() => {});
    })(),
  }),
  { idleMs: hastyIdleMs },
);
add('waits', 'GET', async ({ signal }) => {
  note('waiting');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  note('aborted');
  return { json: {} };
});
