import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type App, createApp } from '../../../shared/app.ts';
import { connect } from '../../../shared/connect.ts';
import { loadConfig } from '../../../shared/core/config.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { blobContainers, metadataContainers } from '../../../shared/core/names/resources.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import type { WriteKind } from './watch-services.ts';
import { createMemoryBlobStore } from '../blobs/memory-store.ts';

/** Everything stored, by name; blobs by the hash of their content. */
export interface Contents {
  readonly documents: Readonly<Record<string, unknown>>;
  readonly blobs: Readonly<Record<string, string>>;
  /** By destination and id, by which consumers deduplicate. */
  readonly messages: readonly string[];
}

export interface StepBench {
  readonly app: App;
  contents(): Promise<Contents>;
  /** Counts writes from now on; `then` is called before each of them, with its number from 1. */
  watchWrites(then: (count: number, kind: WriteKind) => void): void;
  close(): Promise<void>;
}

/** The app over an SQLite file and blobs in memory, with counted writes. */
export async function openStepBench(): Promise<StepBench> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  const config = loadConfig(
    {
      SLIPWAY_METADATA_FILE: join(folder, 'metadata.db'),
      SLIPWAY_QUEUE_FILE: join(folder, 'queue.db'),
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    },
    { version: 'test', commit: 'test' },
  );
  const connected = await connect(config);
  const messages = new Set<string>();
  let writes = 0;
  let onWrite: (count: number, kind: WriteKind) => void = () => undefined;
  const note = (kind: WriteKind) => () => onWrite((writes += 1), kind);
  const changes = ['create', 'replace', 'upsert', 'delete', 'batch'] as const;
  const metadata = withNoted(connected.metadata, changes, note('document'));
  const blobs = withNoted(createMemoryBlobStore(), ['put', 'commitBlocks', 'delete'], note('blob'));
  const { queue } = connected;
  const send = async (destination: string, sent: readonly OutgoingMessage[]) => {
    note('message')();
    for (const { id } of sent) messages.add(`${destination} ${id}`);
    await queue.send(destination, sent);
  };
  const app = createApp(config, {
    ...connected,
    metadata,
    blobs,
    queue: withMember(queue, 'send', send),
    logger: silentLogger,
  });
  await app.prepare();
  return {
    app,
    contents: async () => ({
      documents: await readDocuments(connected.metadata),
      blobs: await readBlobs(blobs),
      messages: [...messages].sort(),
    }),
    watchWrites: (then) => {
      writes = 0;
      onWrite = then;
    },
    close: async () => {
      await connected.metadata.close();
      await queue.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readDocuments(metadata: MetadataStore): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const container of Object.values(metadataContainers)) {
    let cursor: string | undefined;
    do {
      const page = await metadata.list({ container, limit: 1_000, ...(cursor ? { cursor } : {}) });
      for (const { partition, id, body } of page.documents) found[`${container}/${partition}/${id}`] = body;
      ({ cursor } = page);
    } while (cursor);
  }
  return found;
}

async function readBlobs(blobs: BlobStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const container of Object.values(blobContainers)) {
    const page = await blobs.list(container, { limit: 1_000 });
    for (const { ref } of page.blobs) {
      const chunks = await Array.fromAsync((await blobs.open(ref)).body);
      found[`${container}/${ref.name}`] = sha256(Buffer.concat(chunks));
    }
  }
  return found;
}

/** The object, with a hook before each call of some of its methods. */
function withNoted<T extends object>(target: T, methods: readonly (keyof T & string)[], note: () => void): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== 'function') return member;
      const method = member.bind(object) as (...args: unknown[]) => unknown;
      if (!(methods as readonly PropertyKey[]).includes(name)) return method;
      return (...args: unknown[]) => {
        note();
        return method(...args);
      };
    },
  });
}

function withMember<T extends object, Name extends keyof T>(target: T, name: Name, member: T[Name]): T {
  return new Proxy(target, {
    get(object, key) {
      if (key === name) return member;
      const value: unknown = Reflect.get(object, key);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}
