import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assemblePackage } from './assemble-package.ts';

/** `npm run package [-- --platform linux --arch x64]`: writes the folder to zip and deploy, package/. */
const { values } = parseArgs({
  options: {
    platform: { type: 'string', default: process.platform },
    arch: { type: 'string', default: process.arch },
  },
});
const root = join(import.meta.dirname, '..');
const outDir = join(root, 'package');
assemblePackage({ root, outDir, ...values });
const sizeBytes = readdirSync(outDir, { recursive: true, encoding: 'utf8' })
  .map((file) => statSync(join(outDir, file)))
  .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
process.stdout.write(
  `package/ for ${values.platform}/${values.arch}: ${(sizeBytes / 2 ** 20).toFixed(0)} MB\n`,
);
