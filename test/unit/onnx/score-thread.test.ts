import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ScoreThread } from '../../../shared/adapters/onnx/scoring/score-thread.ts';
import { createFolder } from '../../support/stores.ts';
import { dyingWorkerUrl } from '../../support/worker/dying-worker.ts';

const options = { cacheBytes: 1e6, chunkRows: 10, maxWaitingRows: 100 };
const run = { inputs: new Map(), outputs: [], rows: 1 };

test('a thread that dies makes its runs UNAVAILABLE', async () => {
  const thread = new ScoreThread({ workerUrl: dyingWorkerUrl() }, options);
  const runs = [1, 2, 3].map(() => thread.run('f', new Uint8Array(), run, 1));
  for (const result of await Promise.allSettled(runs))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  await thread.close();
});

test('replaces a dead thread, and no longer counts its waiting runs', async () => {
  const folder = createFolder();
  const module = join(folder, 'worker.mjs');
  // Dies at its first start; the second one answers.
  writeFileSync(
    module,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { parentPort } from 'node:worker_threads';
     const marker = ${JSON.stringify(join(folder, 'started'))};
     const isFirst = !existsSync(marker);
     writeFileSync(marker, '');
     parentPort.postMessage({ kind: 'ready' });
     parentPort.on('message', ({ id }) => {
       if (isFirst) process.exit(3);
       parentPort.postMessage({ kind: 'done', id, output: new Map() });
     });`,
  );
  const thread = new ScoreThread({ workerUrl: pathToFileURL(module) }, options);
  await expect(thread.run('f', new Uint8Array(), run, 100)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const runs = [1, 2].map(() => thread.run('f', new Uint8Array(), run, 50));
  expect(await Promise.all(runs)).toEqual([new Map(), new Map()]);
  await thread.close();
});

test('a thread that cannot start is UNAVAILABLE, each time', async () => {
  const workerUrl = new URL('data:text/javascript,throw new Error("boom")');
  const thread = new ScoreThread({ workerUrl }, options);
  for (let i = 0; i < 2; i++)
    await expect(thread.run('f', new Uint8Array(), run, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await thread.close();
});
