import { app } from '@azure/functions';
import * as durable from 'durable-functions';

/** The smallest HTTP function, and durable work without content: only the host costs time. */
app.http('hello', { route: 'hello', authLevel: 'anonymous', handler: () => ({ body: 'hello' }) });

const { OrchestrationRuntimeStatus } = durable;
let activitiesDone = 0;
// Every turn calls the orchestrator from its start, so its calls count the turns.
let turnsDone = 0;

durable.app.activity('nothing', {
  handler: (input) => {
    activitiesDone += 1;
    return input;
  },
});

durable.app.orchestration('chain', function* (context) {
  turnsDone += 1;
  let value = 0;
  for (let i = 0; i < 5; i += 1) value = yield context.df.callActivity('nothing', value + 1);
  return value;
});

durable.app.orchestration('fan-out', function* (context) {
  turnsDone += 1;
  const width = context.df.getInput();
  const tasks = Array.from({ length: width }, (_, i) => context.df.callActivity('nothing', i));
  const results = yield context.df.Task.all(tasks);
  return results.length;
});

/** Starts instances, waits for all of them, and returns the duration and the counts. */
app.http('measure', {
  route: 'measure/{orchestration}/{instances:int}/{input:int}',
  authLevel: 'anonymous',
  extraInputs: [durable.input.durableClient()],
  handler: async (request, context) => {
    const client = durable.getClient(context);
    const { orchestration, instances, input } = request.params;
    const before = { activities: activitiesDone, turns: turnsDone };
    const startedAt = performance.now();
    const ids = await Promise.all(
      Array.from({ length: Number(instances) }, () =>
        client.startNew(orchestration, { input: Number(input) }),
      ),
    );
    for (const id of ids) {
      let status = await client.getStatus(id);
      while (status.runtimeStatus !== OrchestrationRuntimeStatus.Completed) {
        if (status.runtimeStatus === OrchestrationRuntimeStatus.Failed)
          throw new Error(`${id} failed: ${JSON.stringify(status.output)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        status = await client.getStatus(id);
      }
    }
    const activities = activitiesDone - before.activities;
    const turns = turnsDone - before.turns;
    return { jsonBody: { milliseconds: performance.now() - startedAt, activities, turns } };
  },
});
