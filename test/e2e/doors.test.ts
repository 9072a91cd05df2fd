import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startPlatform } from '../support/host/platform.ts';

/** PEP 440, appendix B, without the local part: the versions that MLflow's clients accept. */
const pythonVersion =
  /^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?$/i;
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};

test('answers the feature probes of MLflow’s clients', async () => {
  const platform = await startPlatform();
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${platform.url}${path}`, init);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  expect(await get('/health')).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: 'OK' });

  expect(await get('/version')).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: version });
  expect(version).toMatch(pythonVersion);
  // From 3.4 on, clients would send traces, which the platform does not accept.
  expect(Number(version.split('.')[0])).toBeLessThan(3);
  const json = await get('/version', { headers: { accept: 'application/json' } });
  expect(JSON.parse(json.text)).toEqual({ version, commit: expect.any(String) as string });

  const info = await get('/api/3.0/mlflow/server-info');
  expect(JSON.parse(info.text)).toMatchObject({ store_type: 'SqlStore', workspaces_enabled: false });
  const head = await get('/api/3.0/mlflow/server-info', { method: 'HEAD' });
  expect([head.status, head.text]).toEqual([200, '']);

  // Clients fall back on this code only.
  for (const path of [
    '/api/2.0/mlflow/traces',
    '/api/3.0/mlflow/traces/search',
    '/ajax-api/2.0/mlflow/none',
  ]) {
    const none = await get(path, { method: 'POST', body: '{}' });
    expect([none.status, JSON.parse(none.text)], path).toMatchObject([
      404,
      { error_code: 'ENDPOINT_NOT_FOUND' },
    ]);
  }
});
