import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PlatformProcess } from '../../local/platform-process.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { canReadPeakMemory, readPeakMemoryMb } from '../support/host/peak-memory.ts';
import { createFolder } from '../support/stores.ts';

const megabytes = Number(process.env['SLIPWAY_TEST_MEGABYTES'] ?? 512);
const megabyte = new Uint8Array(2 ** 20);

test.skipIf(!canReadPeakMemory)(
  'bodies of any size, up and down, do not raise the memory of the host (Linux only: needs peak memory)',
  async () => {
    const folder = createFolder();
    const host = await PlatformProcess.start({
      port: 0,
      timeoutMs: patienceMs,
      dataDir: join(folder, 'data'),
      appDir: join(import.meta.dirname, '../support/host/fixture-bodies'),
      readyPath: 'sized',
      env: {
        FIXTURE_LOG: join(folder, 'log'),
        FIXTURE_HUB: 'FixtureHub',
        FIXTURE_MEGABYTES: String(megabytes),
        FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '107374182400',
      },
    });
    onTestFinished(() => host.stop());
    const up = async (count: number) => {
      let left = count;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- > 0) controller.enqueue(megabyte);
          else controller.close();
        },
      });
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
      return (await fetch(`${host.url}/count`, init)).json();
    };
    const down = async (count: number) => {
      let sizeBytes = 0;
      for await (const chunk of (await fetch(`${host.url}/large`)).body ?? []) {
        sizeBytes += chunk.length;
        if (sizeBytes >= count * 2 ** 20) break;
      }
      return { sizeBytes };
    };
    // Warm up first: code and garbage count before the measurement.
    await Promise.all([up(128), down(128)]);
    const before = readPeakMemoryMb(host.pid);
    const whole = { sizeBytes: megabytes * 2 ** 20 };
    expect(await up(megabytes)).toEqual(whole);
    expect(await down(megabytes)).toEqual(whole);
    expect(readPeakMemoryMb(host.pid) - before).toBeLessThan(64);
  },
);
