import { constants, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

export interface PackageOptions {
  /** The built repository: package.json, package-lock.json, host.json, dist/ and node_modules/. */
  readonly root: string;
  /** Deleted and written again. */
  readonly outDir: string;
  /** The target, which decides the native binaries. */
  readonly platform: string;
  readonly arch: string;
}

interface LockEntry {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** The parts of the app, without the local host and its tools. */
const appFiles = ['host.json', 'dist/functions', 'dist/shared', 'dist/build.json'];

/**
 * Assembles the folder to deploy: the built app, a minimal package.json, and the production packages of the lockfile
 * with native binaries for one platform.
 *
 * @throws Error when the app is not built, or a package that the target needs is not installed
 */
export function assemblePackage(options: PackageOptions): void {
  const { root, outDir } = options;
  for (const file of [...appFiles, 'package-lock.json'])
    if (!existsSync(join(root, file)))
      throw new Error(`${file} is missing: run "npm ci" and "npm run build" first.`);
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  for (const file of appFiles) copy(join(root, file), join(outDir, file));
  writePackageJson(root, outDir);

  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.dev === true || !isForTarget(entry, options)) continue;
    if (!existsSync(join(root, path)))
      throw new Error(
        `${path} is not installed, but the target (${options.platform}/${options.arch}) needs it.`,
      );
    // A nested package is copied with its parent; copying it again is harmless.
    copy(join(root, path), join(outDir, path), (source) => isWanted(source.slice(root.length + 1), options));
  }
}

/** Functions on Linux run on glibc. */
function isForTarget({ os, cpu, libc }: LockEntry, { platform, arch }: PackageOptions): boolean {
  const fits = (allowed: readonly string[] | undefined, value: string): boolean =>
    allowed?.includes(value) ?? true;
  return fits(os, platform) && fits(cpu, arch) && fits(libc, 'glibc');
}

/** onnxruntime-node contains the binaries of all platforms and its sources: 291 MB, of which a platform needs 45. */
function isWanted(path: string, { platform, arch }: PackageOptions): boolean {
  const [, name, folder, ...rest] = path.split(sep);
  if (name !== 'onnxruntime-node' || folder === undefined) return true;
  if (folder !== 'bin') return folder !== 'lib' && folder !== 'script';
  return (rest[1] ?? platform) === platform && (rest[2] ?? arch) === arch;
}

function writePackageJson(root: string, outDir: string): void {
  const { name, version, license, type, main, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  const kept = { name, version, license, private: true, type, main, dependencies };
  writeFileSync(join(outDir, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`);
}

function copy(from: string, to: string, filter: (source: string) => boolean = () => true): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter, mode: constants.COPYFILE_FICLONE });
}
