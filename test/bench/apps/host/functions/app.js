import { app } from '@azure/functions';
import * as durable from 'durable-functions';

/** The smallest HTTP function there is, and durable work that does nothing: what is left is the host. */
app.http('hello', { route: 'hello', authLevel: 'anonymous', handler: () => ({ body: 'hello' }) });

durable.app.activity('nothing', { handler: (input) => input });

durable.app.orchestration('chain', function* (context) {
  let value = 0;
  for (let i = 0; i < 5; i += 1) value = yield context.df.callActivity('nothing', value + 1);
  return value;
});

durable.app.orchestration('fan-out', function* (context) {
  const width = context.df.getInput();
  const tasks = Array.from({ length: width }, (_, i) => context.df.callActivity('nothing', i));
  const results = yield context.df.Task.all(tasks);
  return results.length;
});
