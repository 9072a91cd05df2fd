import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { head, startScriptedHost, type ScriptedHost, type Step } from '../support/host/scripted-worker.ts';

/**
 * A worker in this process gets its requests as objects, a worker in another process over HTTP, as in Azure. Client and
 * worker must see the same in both.
 */
const bodyLimitBytes = 300_000;
const start = async (transport: 'hand over' | 'forward'): Promise<ScriptedHost> => {
  const host = await startScriptedHost(transport, bodyLimitBytes);
  onTestFinished(() => host.stop());
  return host;
};

const end: Step = { op: 'end' };
const write = (text: string, times = 1): Step => ({ op: 'write', text, times });
const header = (name: string, value: string | readonly string[]): Step => ({ op: 'header', name, value });
const read = (how: 'all' | 'first' | 'break'): Step => ({ op: 'read', how });
const last = head('GET', [write('last'), end], ['Connection: close']);
const large = 'x'.repeat(200_000);

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const post = (script: readonly Step[], body: string, more: readonly string[] = []) =>
  head('POST', script, [`Content-Length: ${body.length}`, ...more]) + body;
const postChunked = (script: readonly Step[], chunks: readonly string[], more: readonly string[] = []) =>
  [head('POST', script, ['Transfer-Encoding: chunked', ...more]), ...[...chunks, ''].map(chunk)].join('');

const cases: Record<string, string | readonly string[]> = {
  'an empty answer': head('GET', [end]),
  'a small answer without a length': head('GET', [write('small'), end]),
  'a small answer with a length': head('GET', [header('Content-Length', '5'), write('small'), end]),
  'a large answer with a length': head('GET', [header('content-length', '200000'), write('x', 200_000), end]),
  'an answer in pieces': head('GET', [
    write('a'),
    { op: 'wait', ms: 5 },
    write('b'),
    write('c', 200_000),
    end,
  ]),
  'bytes beyond ASCII': head('GET', [write('äöü€😀'), end]),
  'HEAD with a length': head('HEAD', [header('content-length', '5'), write('small'), end]),
  'HEAD with a length and no bytes': head('HEAD', [header('content-length', '5'), end]),
  'HEAD without a length': head('HEAD', [write('small'), end]),
  'HEAD of nothing': head('HEAD', [end]),
  '204': head('DELETE', [{ op: 'status', status: 204 }, end]),
  '304 with the length of the full answer': head('GET', [
    { op: 'status', status: 304 },
    header('content-length', '5'),
    end,
  ]),
  '304 with a tag': head('GET', [{ op: 'status', status: 304 }, header('etag', '"a"'), end]),
  '404 with a body': head('GET', [{ op: 'status', status: 404 }, write('no'), end]),
  'hop-by-hop headers and headers of the proxy': head('GET', [
    header('Connection', 'close'),
    header('Keep-Alive', 'timeout=1'),
    header('Upgrade', 'h2c'),
    header('X-Own', 'kept'),
    header('Set-Cookie', ['a=1', 'b=2']),
    write('body'),
    end,
  ]),
  'hop-by-hop request headers, repeated ones and one of the host': head(
    'GET',
    [end],
    [
      'Connection: keep-alive, X-Hop',
      'Upgrade: websocket',
      'TE: trailers',
      'Accept: a',
      'Accept: b',
      'Cookie: a=1',
      'Cookie: b=2',
      'X-Forwarded-Host: elsewhere',
      'X-Ms-Invocation-Id: mine',
    ],
  ),
  'a body with a length': post([read('all'), write('done'), end], large),
  'a chunked body': postChunked([read('all'), write('done'), end], ['one', large, 'two']),
  'a chunked body with trailers': postChunked([read('all'), end], ['one'], ['Trailer: X-Sum']).replace(
    /0\r\n\r\n$/,
    '0\r\nX-Sum: 1\r\n\r\n',
  ),
  'no body on POST': head('POST', [read('all'), write('done'), end], ['Content-Length: 0']),
  'a body on GET': head('GET', [read('all'), end], ['Content-Length: 4']) + 'body',
  'Expect: 100-continue': [
    head('POST', [read('all'), end], ['Content-Length: 4', 'Expect: 100-continue']),
    'body',
  ],
  'a body left unread': post([write('early'), end], large),
  'a chunked body left unread': postChunked([write('early'), end], [large, large.slice(0, 90_000)]),
  'a body read in part': post([read('first'), write('early'), end, { op: 'drop' }], large),
  'a body that the worker breaks off': post(
    [read('break'), { op: 'wait', ms: 30 }, write('late'), end],
    large,
  ),
  'a chunked body over the limit': [
    head('POST', [read('all'), end], ['Transfer-Encoding: chunked']),
    chunk(large),
    chunk(large),
    chunk(''),
  ],
  'a header that HTTP does not allow': head('GET', [header('x-own', 'a\nb'), write('body'), end]),
  'a status that HTTP does not allow': head('GET', [{ op: 'status', status: 99 }, write('body'), end]),
  'a failure before the answer': head('GET', [header('x-own', 'dropped'), { op: 'throw' }]),
  'a failure before the answer, with a body': post([{ op: 'throw' }], large),
  'a failure in the middle': head('GET', [write('half'), { op: 'seen' }, { op: 'throw' }]),
  'a failure after the answer': head('GET', [write('whole'), end, { op: 'seen' }, { op: 'throw' }]),
  'a response destroyed before the answer': head('GET', [{ op: 'destroy', what: 'response' }]),
  'a response destroyed in the middle': head('GET', [
    write('half'),
    { op: 'seen' },
    { op: 'destroy', what: 'response' },
  ]),
  'a request destroyed before the answer': post([{ op: 'destroy', what: 'request' }], large),
  'fewer bytes than announced, then destroyed': head('GET', [
    header('content-length', '10'),
    write('half'),
    { op: 'seen' },
    { op: 'destroy', what: 'response' },
  ]),
};

test.each(Object.entries(cases))('in-process equals forwarded: %s', async (_name, request) => {
  const requests = [...[request].flat(), last];
  const answer = await (await start('hand over')).exchange(requests);
  expect(answer).toEqual(await (await start('forward')).exchange(requests));
  expect(answer.answers.length).toBeGreaterThan(0);
});

const sized = fc.nat({ max: 40_000 });
const bodyOf = fc.oneof(
  fc.constant<readonly string[]>([]),
  sized.map((size) => [`Content-Length: ${size}`, 'b'.repeat(size)]),
  fc
    .array(sized, { maxLength: 4 })
    .map((sizes) => [
      'Transfer-Encoding: chunked',
      ...[...sizes.filter(Boolean), 0].map((size) => chunk('b'.repeat(size))),
    ]),
);
const answerOf = fc
  .record({
    status: fc.constantFrom(200, 201, 204, 304, 404, 500),
    writes: fc.array(sized, { maxLength: 3 }),
    pauses: fc.array(fc.constantFrom(0, 0, 1, 3), { minLength: 4, maxLength: 4 }),
    isSized: fc.boolean(),
    reads: fc.constantFrom('all', 'none'),
  })
  .map(({ status, writes, pauses, isSized, reads }): readonly Step[] => [
    ...(reads === 'all' ? [read('all')] : []),
    { op: 'status', status },
    ...(isSized ? [header('content-length', String(writes.reduce((sum, size) => sum + size, 0)))] : []),
    ...writes.flatMap((size, index): Step[] => [{ op: 'wait', ms: pauses[index]! }, write('w', size)]),
    end,
  ]);
const request = fc
  .tuple(fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'), answerOf, bodyOf)
  .map(([method, script, [framing, ...parts]]) =>
    [head(method, script, framing ? [framing] : []), ...parts].join(''),
  );

test('in-process equals forwarded: any requests on one connection, any answers', async () => {
  const [handedOver, forwarded] = [await start('hand over'), await start('forward')];
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
      const all = [...requests, last];
      expect(await handedOver.exchange(all)).toEqual(await forwarded.exchange(all));
    }),
    { numRuns: 60 },
  );
});

describe('in-process only', () => {
  test('a half-read body does not block the next request', async () => {
    const handedOver = await start('hand over');
    const { answers } = await handedOver.exchange([post([read('first'), write('early'), end], large), last]);
    expect(answers.map(({ body }) => body)).toEqual(['early', 'last']);
  });

  test.each([
    ['more at once', [write('much too long'), end], 500],
    ['less at once', [write('shor'), end], 500],
    ['nothing', [end], 500],
    ['more in the end', [write('abc'), { op: 'seen' }, write('def'), end], 'cut'],
    ['less in the end', [write('abc'), { op: 'seen' }, end], 'cut'],
  ] as const)('an answer that is not as long as announced fails: %s', async (_name, script, expected) => {
    const handedOver = await start('hand over');
    const { answers, logged } = await handedOver.exchange([
      head('GET', [header('content-length', '5'), ...script]),
      last,
    ]);
    if (expected === 'cut') expect(answers).toMatchObject([{ status: 200, isCut: true }]);
    else expect(answers).toMatchObject([{ status: 500, body: '' }, { body: 'last' }]);
    expect(logged).toEqual([expected === 'cut' ? 'An HTTP answer broke off' : 'An HTTP request failed']);
  });
});
