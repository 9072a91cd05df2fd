import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { beforeAll, describe, expect, it, afterAll } from 'vitest';
import { PlatformProcess } from '../../local/platform-process.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patienceMs } from '../support/hang-guard.ts';

interface File {
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size?: number;
}

describe('artifacts over HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-artifacts-'));
  let platform: PlatformProcess;
  let root: string;
  let runId: string;
  let run: string;
  beforeAll(async () => {
    platform = await PlatformProcess.start({
      port: 0,
      dataDir: join(folder, 'data'),
      timeoutMs: patienceMs,
    });
    root = `${platform.url}/api/2.0/mlflow-artifacts`;
    const created = await platform.call<{ run: { info: { run_id: string; artifact_uri: string } } }>(
      'POST',
      'api/2.0/mlflow/runs/create',
      { experiment_id: '0' },
    );
    runId = created.run.info.run_id;
    run = created.run.info.artifact_uri.replace('mlflow-artifacts:/', '');
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const encode = (path: string) => path.split('/').map(encodeURIComponent).join('/');
  const put = (path: string, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(`${root}/artifacts/${encode(path)}`, { method: 'PUT', body });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${root}/artifacts/${encode(path)}`, { headers });
  const list = async (path: string): Promise<readonly File[]> => {
    const answer = await fetch(`${root}/artifacts?path=${encodeURIComponent(path)}`);
    return ((await answer.json()) as { files: File[] }).files;
  };
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${platform.url}/api/2.0/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, never> };
  };

  it('round-trips a file, as a download whose type follows from its name', async () => {
    const names = ['a b+c.txt', '100%.txt', 'q?x=1&y.txt', 'ü/日本語/😀.txt', "it's (1).txt"];
    for (const name of names) {
      const path = `${run}/names/${name}`;
      const stored = await put(path, name);
      expect([stored.status, await stored.json()]).toEqual([200, {}]);
      const answer = await get(path);
      expect([answer.status, await answer.text()]).toEqual([200, name]);
    }
    const answer = await get(`${run}/names/a b+c.txt`);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-disposition': 'attachment; filename="a b+c.txt"',
      'content-length': '9',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
    });
    const html = await put(`${run}/page.html`, '<script>');
    expect(html.status).toBe(200);
    expect((await get(`${run}/page.html`)).headers.get('content-disposition')).toContain('attachment');
  });

  it('answers ranges and conditions', async () => {
    const bytes = randomBytes(100_000);
    const path = `${run}/ranges.bin`;
    await put(path, bytes);
    const etag = (await get(path)).headers.get('etag')!;
    const cases = [
      ['bytes=0-9', 206, 'bytes 0-9/100000', bytes.subarray(0, 10)],
      ['bytes=99990-', 206, 'bytes 99990-99999/100000', bytes.subarray(99_990)],
      ['bytes=-5', 206, 'bytes 99995-99999/100000', bytes.subarray(99_995)],
      ['bytes=50000-999999', 206, 'bytes 50000-99999/100000', bytes.subarray(50_000)],
      ['bytes=-200000', 206, 'bytes 0-99999/100000', bytes],
      ['bytes=5-3', 200, null, bytes],
      ['bytes=0-1,5-6', 200, null, bytes],
      ['lines=0-1', 200, null, bytes],
    ] as const;
    for (const [range, status, contentRange, expected] of cases) {
      const answer = await get(path, { range });
      expect([range, answer.status, answer.headers.get('content-range')]).toEqual([
        range,
        status,
        contentRange,
      ]);
      expect(Buffer.from(await answer.arrayBuffer()).equals(expected)).toBe(true);
    }
    for (const range of ['bytes=100000-', 'bytes=-0']) {
      const answer = await get(path, { range });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */100000']);
      expect(await answer.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    }
    expect((await get(path, { 'if-none-match': `"x", W/${etag}` })).status).toBe(304);
    expect((await get(path, { 'if-none-match': '"x"' })).status).toBe(200);
    expect((await get(path, { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    expect((await get(path, { range: 'bytes=0-1', 'if-range': '"old"' })).status).toBe(200);
  });

  it('lists folders, relative to the run', async () => {
    for (const name of ['b.txt', 'sub/c.txt', 'sub/deep/d.txt']) await put(`${run}/tree/${name}`, 'xy');
    expect(await list(`${run}/tree`)).toEqual([
      { path: 'b.txt', is_dir: false, file_size: 2 },
      { path: 'sub', is_dir: true },
    ]);
    expect(await list(`${run}/tree/b.txt`)).toEqual([]);
    expect(await list(`${run}/nowhere`)).toEqual([]);
    const query = new URLSearchParams({ run_id: runId, path: 'tree/sub/' });
    for (const prefix of ['api/2.0', 'ajax-api/2.0']) {
      expect(await platform.call('GET', `${prefix}/mlflow/artifacts/list?${query.toString()}`)).toEqual({
        root_uri: `mlflow-artifacts:/${run}`,
        files: [
          { path: 'tree/sub/c.txt', is_dir: false, file_size: 2 },
          { path: 'tree/sub/deep', is_dir: true },
        ],
      });
    }
  });

  it('deletes a file, a folder, and a missing path', async () => {
    for (const name of ['x/1', 'x/2/3', 'xy', 'x.txt']) await put(`${run}/del/${name}`, '');
    const remove = (path: string) => fetch(`${root}/artifacts/${path}`, { method: 'DELETE' });
    for (let times = 0; times < 2; times += 1) {
      const answer = await remove(`${run}/del/x`);
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
      expect((await list(`${run}/del`)).map((file) => file.path)).toEqual(['x.txt', 'xy']);
    }
    expect((await remove(`${run}/del/`)).status).toBe(200);
    expect(await list(`${run}/del`)).toEqual([]);
    expect((await remove('')).status).toBe(400);
  });

  it('reports errors in the words of the protocol', async () => {
    const missing = await get(`${run}/nope.txt`);
    expect([missing.status, await missing.json()]).toMatchObject([
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST' },
    ]);
    await put(`${run}/dir/file`, 'x');
    const folderAnswer = await get(`${run}/dir`);
    expect([folderAnswer.status, await folderAnswer.json()]).toMatchObject([
      400,
      {
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining('directory, not a file') as string,
      },
    ]);
    const hostile = [
      '..%2f..%2fx',
      '%252e%252e%252fx',
      '%255c%255chost%255cx',
      'C%3A%2Fx',
      'a%23b',
      'a.',
      'a%2F%2Fb',
    ];
    for (const path of [...hostile, 'n'.repeat(1_025)]) {
      for (const [method, url] of [
        ['PUT', `${root}/artifacts/${path}`],
        ['GET', `${root}/artifacts/${path}`],
        ['DELETE', `${root}/artifacts/${path}`],
        ['GET', `${root}/presigned/${path}`],
        ['GET', `${platform.url}/get-artifact?run_id=${runId}&path=${path}`],
        ['POST', `${platform.url}/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${runId}&path=${path}`],
      ] as const) {
        const answer = await fetch(url, { method, ...(method === 'GET' ? {} : { body: 'x' }) });
        expect([method, url, answer.status]).toEqual([method, url, 400]);
        expect(await answer.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
      }
    }
    expect(await list('')).toEqual([{ path: run.split('/')[0], is_dir: true }]);
    const unknown = await fetch(`${platform.url}/get-artifact?run_id=${'0'.repeat(32)}&path=x`);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST' },
    ]);
  });

  it('accepts multipart uploads straight to storage, and signs download URLs', async () => {
    const parts = [randomBytes(1_000_000), randomBytes(1_000_000), randomBytes(7)];
    const upload = { path: '/home/me/big file.bin', num_parts: 3 };
    const { body: started } = await post(`mlflow-artifacts/mpu/create/${run}/parts`, upload);
    const { upload_id, credentials } = started as unknown as {
      upload_id: string;
      credentials: { url: string; part_number: number; headers: object }[];
    };
    expect(credentials.map((one) => [one.part_number, one.headers])).toEqual([1, 2, 3].map((n) => [n, {}]));
    for (const { url, part_number } of [...credentials].reverse()) {
      const answer = await fetch(url, { method: 'PUT', body: parts[part_number - 1]! });
      expect(answer.status).toBe(201);
    }
    expect(await list(`${run}/parts`)).toEqual([]);
    const complete = {
      ...upload,
      upload_id,
      parts: [3, 1, 2].map((n) => ({ part_number: n, etag: '', url: credentials[n - 1]!.url })),
    };
    for (let times = 0; times < 2; times += 1)
      expect(await post(`mlflow-artifacts/mpu/complete/${run}/parts`, complete)).toEqual({
        status: 200,
        body: {},
      });
    const whole = Buffer.concat(parts);
    const path = `${run}/parts/big file.bin`;
    expect(Buffer.from(await (await get(path)).arrayBuffer()).equals(whole)).toBe(true);

    const presigned = (await (await fetch(`${root}/presigned/${encode(path)}`)).json()) as {
      url: string;
      file_size: number;
    };
    expect(presigned).toMatchObject({ headers: {}, file_size: whole.length });
    const part = await fetch(presigned.url, { headers: { range: 'bytes=1000000-1000009' } });
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(1_000_000, 1_000_010))).toBe(true);

    const abort = { ...upload, upload_id };
    expect(await post(`mlflow-artifacts/mpu/abort/${run}/parts`, abort)).toEqual({ status: 200, body: {} });
    expect((await get(path)).status).toBe(200);
    const unsent = await post(`mlflow-artifacts/mpu/create/${run}/parts`, { ...upload, path: 'other' });
    const never = { path: 'other', upload_id: unsent.body['upload_id'], parts: [{ part_number: 1 }] };
    for (const [what, body] of [
      ['complete', never],
      ['complete', { ...never, upload_id: 'x' }],
      ['complete', { ...never, parts: [] }],
      ['create', { ...upload, num_parts: 0 }],
      ['create', { ...upload, num_parts: 10_001 }],
      ['create', { num_parts: 1 }],
    ] as const) {
      const answer = await post(`mlflow-artifacts/mpu/${what}/${run}/parts`, body);
      expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    }
    expect(await list(`${run}/parts`)).toHaveLength(1);
  });

  it('signs URLs for files of a run, for the requested time', async () => {
    const { body: up } = await post('mlflow/artifacts/presigned-upload-url', {
      run_id: runId,
      path: 'by/url.txt',
    });
    const sent = await fetch(up['presigned_url']!, {
      method: 'PUT',
      body: 'by URL',
      headers: up['headers']!,
    });
    expect(sent.status).toBe(201);
    const { body: down } = await post('mlflow/artifacts/presigned-download-url', {
      run_id: runId,
      path: 'by/url.txt',
    });
    expect(down['file_size']).toBe(6);
    expect(await (await fetch(down['presigned_url']!)).text()).toBe('by URL');
    for (const body of [
      { path: 'x' },
      { run_id: runId, model_id: 'm-1', path: 'x' },
      { run_id: runId, path: 'x', expiration: 0 },
      { run_id: runId, path: 'x', expiration: 604_801 },
    ])
      expect(await post('mlflow/artifacts/presigned-upload-url', body)).toMatchObject({ status: 400 });
  });

  it('accepts small files of a run from web pages', async () => {
    const upload = (query: string, body: string) =>
      fetch(`${platform.url}/ajax-api/2.0/mlflow/upload-artifact?${query}`, { method: 'POST', body });
    expect((await upload(`run_uuid=${runId}&path=notes/n.txt`, 'note')).status).toBe(200);
    const answer = await fetch(`${platform.url}/get-artifact?run_uuid=${runId}&path=notes/n.txt`);
    expect(await answer.text()).toBe('note');
    for (const [query, body] of [
      [`path=n.txt`, 'x'],
      [`run_uuid=${runId}`, 'x'],
      [`run_uuid=${runId}&path=empty`, ''],
      [`run_uuid=${runId}&path=large`, 'x'.repeat(10 * 2 ** 20 + 1)],
    ] as const)
      expect((await upload(query, body)).status).toBe(400);
  });

  it('stores nothing of an interrupted upload', async () => {
    const path = `${run}/broken.bin`;
    await put(path, 'before');
    for (const framing of [{ 'content-length': '20000000' }, { 'transfer-encoding': 'chunked' }]) {
      await new Promise<void>((resolve) => {
        const sending = request(`${root}/artifacts/${path}`, { method: 'PUT', headers: framing });
        sending.once('error', () => resolve());
        sending.write(randomBytes(9_000_000), () => setTimeout(() => sending.destroy(), 200));
        sending.once('close', () => resolve());
      });
      await put(`${run}/broken-${framing['content-length'] ?? 'chunked'}`, 'after it');
      expect(await (await get(path)).text()).toBe('before');
    }
    expect((await get(`${run}/broken-chunked`)).status).toBe(200);
  });

  it('keeps one complete file of concurrent uploads to one path', async () => {
    const path = `${run}/contested.bin`;
    const bodies = Array.from({ length: 4 }, (_, i) => Buffer.alloc(9_000_000, i));
    const answers = await Promise.all(bodies.map((body) => put(path, body)));
    // A larger upload that lost the race fails with an error that clients retry.
    for (const { status } of answers) expect([200, 503]).toContain(status);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const kept = Buffer.from(await (await get(path)).arrayBuffer());
    expect(bodies.some((body) => body.equals(kept))).toBe(true);
  });
});
