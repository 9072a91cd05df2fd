import { join } from 'node:path';
import { expect } from 'vitest';
import { loadApp } from '../../../local/worker/load.ts';
import type { InvocationRequest } from '../../../local/worker/typed-data.ts';

/** The sources of each format, to which the tests claim fidelity. */
const sources = {
  http: ['azure-functions-host GrpcMessageConversionExtensions.ToRpcHttp'],
  'http-streaming': [
    'azure-functions-host DefaultHttpProxyService.StartForwarding',
    'azure-functions-nodejs-library src/http/HttpRequest.ts createStreamRequest',
  ],
  blob: ['azure-sdk-for-net BlobTriggerBinding.CreateBindingData'],
  'blob-deferred': ['azure-sdk-for-net BlobsExtensionConfigProvider.CreateParameterBindingData'],
  timer: ['azure-webjobs-sdk-extensions TimerInfo, ScheduleStatus'],
  'service-bus': ['azure-sdk-for-net ServiceBusTriggerBindingStrategy.AddBindingData'],
  'service-bus-batch': ['azure-sdk-for-net ServiceBusTriggerBindingStrategy.AddBindingData (arrays)'],
  activity: ['azure-functions-durable-extension ActivityTriggerAttributeBindingProvider'],
} as const satisfies Record<string, readonly string[]>;

export interface WireTap {
  /** Compares the first request to a function with its golden file; `url` is the host's. */
  expectGolden(name: keyof typeof sources, fn: string, url: string): Promise<void>;
}

/** Records the requests that the host sends to the worker, where the programming model receives them. */
export async function tapWire(appDir: string): Promise<WireTap> {
  const caught = new Map<string, InvocationRequest>();
  const { model } = await loadApp(appDir, () => {});
  const inner = model.getInvocationModel.bind(model);
  model.getInvocationModel = (core) => {
    if (!caught.has(core.metadata.name)) caught.set(core.metadata.name, core.request);
    return inner(core);
  };
  return {
    async expectGolden(name, fn, url) {
      await expect.poll(() => caught.has(fn)).toBe(true);
      const golden = { derivedFrom: sources[name], request: normalize(caught.get(fn), url) };
      await expect(`${JSON.stringify(golden, undefined, 2)}\n`).toMatchFileSnapshot(
        join(import.meta.dirname, '../../golden/host', `${name}.json`),
      );
    },
  };
}

/** Replaces values that differ between runs by their names, and bytes by text. */
function normalize(request: InvocationRequest | undefined, url: string): unknown {
  const text = JSON.stringify(request, (_key, value: unknown) => {
    const isBuffer = value !== null && typeof value === 'object' && 'data' in value && 'type' in value;
    return isBuffer && value.type === 'Buffer' && Array.isArray(value.data)
      ? { utf8: Buffer.from(value.data as number[]).toString() }
      : value;
  });
  return JSON.parse(
    text
      .replaceAll(new URL(url).host, 'HOST')
      .replace(/127\.0\.0\.1:\d+\/devstoreaccount1/g, 'STORAGE')
      .replace(/0x[0-9A-F]+/g, 'ETAG')
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
      .replace(/202\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?/g, 'TIME'),
  );
}
