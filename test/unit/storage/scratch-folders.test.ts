import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFolder } from '../../support/stores.ts';

const module = new URL('../../../shared/adapters/embedded/scratch-folders.ts', import.meta.url).href;

/** A process that holds a scratch folder until it is killed. */
async function startOwner(temporary: string) {
  const script = `import { makeScratchFolder } from ${JSON.stringify(module)};
    process.stdout.write(await makeScratchFolder());
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [path] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { path: String(path), kill };
}

test('removes the folders of killed processes, and nothing of running or foreign ones', async () => {
  const temporary = createFolder();
  const killed = await startOwner(temporary);
  const running = await startOwner(temporary);
  mkdirSync(join(killed.path, 'inside'));
  await killed.kill();
  const others = ['slipway-notes', 'slipway-00000000-1-1-abcdef', 'slipway-AbCdEf', 'something'];
  for (const name of others) mkdirSync(join(temporary, name));
  const next = await startOwner(temporary);
  expect(existsSync(killed.path)).toBe(false);
  expect(
    readdirSync(temporary)
      .map((name) => join(temporary, name))
      .sort(),
  ).toEqual([running.path, next.path, ...others.map((name) => join(temporary, name))].sort());
});
