import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Creates a virtual environment with the packages that a `requirements.txt` pins, or reuses it.
 *
 * @param folder where `requirements.txt` is, from the repository's root
 * @returns the path of its interpreter
 */
export function prepareEnvironment(folder: string): string {
  const requirements = join(root, folder, 'requirements.txt');
  const name = basename(folder);
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const environment = join(root, '.venv', `${name}-${digest}`);
  const python = join(environment, 'bin/python');
  const ready = join(environment, 'ready');
  if (existsSync(ready)) return python;
  console.error(`Installing the Python packages of ${name}`);
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(join(root, '.venv'), { recursive: true });
  run('python3', ['-m', 'venv', environment]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(ready, '');
  return python;
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['inherit', process.stderr, 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${status}`);
}

/** @returns why no environment can be created; undefined when one can */
export function whyNoPython(): string | undefined {
  const works = (args: readonly string[]) => spawnSync('python3', args, { stdio: 'ignore' }).status === 0;
  if (!works(['--version'])) return 'python3 is not installed.';
  if (!works(['-c', 'import venv, ensurepip'])) return 'python3 has no venv module with pip.';
  return undefined;
}
