import { app } from '@azure/functions';

/** The smallest HTTP function, in an app that streams, as the platform does. */
app.setup({ enableHttpStream: true });
app.http('hello', {
  route: 'hello',
  authLevel: 'anonymous',
  handler: () => ({ body: 'hello', headers: { 'content-length': '5' } }),
});
