import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import type { PlatformEndpoints } from '../local/platform-process.ts';

/** Uploads a file to the landing container of the running platform: `npm run drop -- <dataset> <file>`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'data-dir': { type: 'string', default: '.slipway' } },
});
const [dataset, file] = positionals;
if (dataset === undefined || file === undefined)
  fail('Usage: npm run drop -- <dataset> <file> [--data-dir <folder>]');
if (!statSync(file, { throwIfNoEntry: false })?.isFile()) fail(`${file} is not a file.`);

const name = `${dataset}/${basename(file)}`;
const endpoints = readEndpoints(values['data-dir']);
const service = BlobServiceClient.fromConnectionString(endpoints.blobConnectionString, {
  retryOptions: { maxTries: 1 },
});
await service
  .getContainerClient('landing')
  .getBlockBlobClient(name)
  .uploadFile(file)
  .catch(() => fail(`The platform at ${endpoints.url} does not answer. Start it with npm start.`));
console.log(`Dropped landing/${name}. Follow it at ${endpoints.url}/api/v1/runs?pipeline=ingest`);

function readEndpoints(dataDir: string): PlatformEndpoints {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')) as PlatformEndpoints;
  } catch {
    return fail(`No platform has used ${dataDir}. Start one with npm start.`);
  }
}

function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}
