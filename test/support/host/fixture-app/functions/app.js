import { app } from '@azure/functions';
import * as durable from 'durable-functions';
import { record } from './record.js';

app.hook.appStart((context) => {
  context.appHookData ??= {};
  record('appStart', {});
});
app.hook.preInvocation((context) => {
  context.hookData.startedBy = 'preInvocation';
  if (context.invocationContext.functionName === 'hooked') context.inputs[0].hooked = true;
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName !== 'hooked') return;
  if (context.error) {
    context.error = undefined;
    context.result = { status: 418, body: context.hookData.startedBy };
  }
});
app.http('hooked', {
  authLevel: 'anonymous',
  route: 'hooked',
  handler: (request) => {
    if (request.hooked) throw new Error('made good by the hook');
    return { body: 'no hook' };
  },
});

durable.app.activity('shout', { handler: (text) => `${text.toUpperCase()}!` });
durable.app.orchestration('greet', function* (context) {
  return yield context.df.callActivity('shout', context.df.getInput());
});
durable.app.entity('counter', (context) => {
  context.df.setState((context.df.getState(() => 0) ?? 0) + context.df.getInput());
});
app.http('durable-urls', {
  authLevel: 'anonymous',
  methods: ['GET'],
  route: 'durable-urls',
  extraInputs: [durable.input.durableClient()],
  handler: (_request, context) => ({
    jsonBody: durable.getClient(context).createHttpManagementPayload('made-up'),
  }),
});
app.http('start-greeting', {
  authLevel: 'anonymous',
  methods: ['POST'],
  route: 'greet/{name}',
  extraInputs: [durable.input.durableClient()],
  handler: async (request, context) => {
    const client = durable.getClient(context);
    const id = await client.startNew('greet', { input: request.params.name });
    return client.createCheckStatusResponse(request, id);
  },
});
