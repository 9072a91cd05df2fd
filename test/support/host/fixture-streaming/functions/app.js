import { app } from '@azure/functions';
import { setTimeout as sleep } from 'node:timers/promises';

app.setup({ enableHttpStream: true });
const anonymous = { authLevel: 'anonymous' };

app.http('stream-up', {
  ...anonymous,
  methods: ['POST'],
  route: 'up/{name}',
  handler: async (request) => {
    let sizeBytes = 0;
    for await (const chunk of request.body ?? []) sizeBytes += chunk.length;
    return {
      jsonBody: {
        sizeBytes,
        name: request.params.name,
        probe: request.headers.get('x-probe'),
        url: request.url,
      },
    };
  },
});
app.http('stream-down', {
  ...anonymous,
  methods: ['GET', 'HEAD'],
  route: 'down/{count:int}',
  handler: (request) => ({
    headers: { 'content-type': 'text/plain', 'x-own': 'yes' },
    body: (async function* () {
      for (let index = 0; index < Number(request.params.count); index++) {
        yield Buffer.from(`${index}\n`);
        await sleep(1);
      }
    })(),
  }),
});
app.http('stream-unread', {
  ...anonymous,
  methods: ['POST'],
  route: 'unread',
  handler: () => ({ status: 202 }),
});
app.http('stream-fails', {
  ...anonymous,
  route: 'fails',
  handler: () => {
    throw new Error('secret detail');
  },
});
app.http('stream-breaks', {
  ...anonymous,
  route: 'breaks',
  handler: () => ({
    body: (async function* () {
      yield Buffer.from('half');
      await sleep(20);
      throw new Error('broken in the middle');
    })(),
  }),
});
