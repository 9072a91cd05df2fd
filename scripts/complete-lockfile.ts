import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Adds missing native packages of other platforms to the lockfile; run it after changing dependencies. npm omits them
 * when the registry mirror lacks them, and `npm ci` then refuses the lockfile on every machine. Names and versions are
 * those that their parents declare; each platform installs its own.
 */
interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
const libraries: Readonly<Record<string, string>> = { gnu: 'glibc', musl: 'musl' };

const file = 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
let added = 0;
const depthOf = (path: string) => path.split('/node_modules/').length;
const parents = Object.entries(lock.packages).sort(([a], [b]) => depthOf(a) - depthOf(b));
for (const [path, parent] of parents) {
  for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
    const platform = readPlatform(name);
    if (!/^\d/.test(range) || !platform || isLocked(path, name, range)) continue;
    lock.packages[placeFor(path, name, range)] = { version: range, ...platform, optional: true };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`Added ${added} packages of other platforms to ${file}`);

/** Searches as Node does: the parent's own packages first, then outwards. */
function isLocked(path: string, name: string, version: string): boolean {
  return placesFor(path, name).some((place) => lock.packages[place]?.version === version);
}

/** The outermost free path, to which npm would hoist the package. */
function placeFor(path: string, name: string, version: string): string {
  const free = placesFor(path, name).filter(
    (place) => (lock.packages[place]?.version ?? version) === version,
  );
  return free.at(-1) ?? `${path}/node_modules/${name}`;
}

function placesFor(path: string, name: string): string[] {
  const folders = path.split('/node_modules/');
  return folders
    .map((_, depth) => {
      const folder = folders.slice(0, folders.length - depth).join('/node_modules/');
      return `${folder}/node_modules/${name}`;
    })
    .concat(`node_modules/${name}`);
}

/** `@scope/binding-linux-arm64-musl` → for Linux on arm64 with musl; undefined for a name without a platform. */
function readPlatform(name: string): Record<string, string[]> | undefined {
  const words = name.split('/').at(-1)?.split('-') ?? [];
  const pick = (known: readonly string[]) => words.filter((word) => known.includes(word));
  const cpu = pick(processors);
  if (cpu.length === 0) return undefined;
  const os = pick(systems);
  const libc = pick(Object.keys(libraries)).map((word) => libraries[word] ?? word);
  return {
    cpu,
    ...(os.length > 0 ? { os } : {}),
    ...(libc.length > 0 && os.includes('linux') ? { libc } : {}),
  };
}
