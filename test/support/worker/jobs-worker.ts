import { AppError } from '../../../shared/core/errors.ts';
import { serveJobs, Transferred } from '../../../shared/core/worker/serve-jobs.ts';
import type { TestJobs } from './jobs.ts';

const never = () => new Promise<never>(() => undefined);

serveJobs<TestJobs>({
  echo: async (input) => input,
  fail: () => Promise.reject(new AppError('UNPROCESSABLE', 'It is damaged.', { reason: 'damaged', line: 7 })),
  sum: async (_, { ask }) => {
    let sum = 0;
    for (let next = await ask('next'); next !== undefined; next = await ask('next')) sum += next;
    return sum;
  },
  wait: (_, { signal, report }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      report('waiting');
    }),
  spin: async (_, { report }) => {
    report('spinning');
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (;;);
  },
  tick: (_, { report }) => {
    setInterval(() => undefined, 1_000);
    report('ticking');
    return never();
  },
  exit: async (exitCode) => process.exit(exitCode),
  throwLater: (message) => {
    setTimeout(() => {
      throw new Error(message);
    });
    return never();
  },
  fillHeap: async () => {
    const kept: number[][] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + Math.random()));
  },
  fillBuffers: async () => {
    const kept: Buffer[] = [];
    for (;;) {
      kept.push(Buffer.alloc(8 * 2 ** 20, 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  move: async (input) => {
    const output = Uint8Array.of(input.byteLength);
    return new Transferred(output, [output.buffer]);
  },
  uncloneable: async () => () => 'a function',
  pid: async () => process.pid,
  variables: async () => Object.keys(process.env),
});
