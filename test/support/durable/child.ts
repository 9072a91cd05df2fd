/**
 * A host of durable functions in a separate process: `node child.ts <database> <effects folder> [<effects> <turns>]`.
 * Prints its binding on the first line. Every activity writes a file in the folder under its key. The process kills
 * itself some turns of the event loop after a number of effects.
 */
import './core.ts';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';
import { passTurns } from '../turns.ts';
import { startHarness } from './harness.ts';

const [file = '', effects = '', lethalEffects = 'Infinity', turnsToLive = '0'] = process.argv.slice(2);
let effectsAdded = 0;

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
}

df.app.activity('mark', {
  handler: async (key: string) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    appendFileSync(join(effects, key), 'x');
    if (++effectsAdded === Number(lethalEffects)) void passTurns(Number(turnsToLive)).then(kill);
    return key;
  },
});

df.app.entity('tally', (context: df.EntityContext<number>) => {
  context.df.setState((context.df.getState(() => 0) ?? 0) + (context.df.getInput<number>() ?? 0));
});

type Steps = Generator<df.Task, unknown, unknown>;

const orchestrators: Readonly<Record<string, (context: OrchestrationContext) => Steps>> = {
  *chain(context) {
    for (let step = 0; step < 5; step++)
      yield context.df.callActivity('mark', `${context.df.instanceId}-${step}`);
    context.df.signalEntity(new df.EntityId('tally', 'chains'), 'add', 1);
    return 'done';
  },
  *fan(context) {
    const keys = Array.from({ length: 40 }, (_, index) => `${context.df.instanceId}-${index}`);
    const marked = (yield context.df.Task.all(
      keys.map((key) => context.df.callActivity('mark', key)),
    )) as string[];
    yield context.df.callEntity(new df.EntityId('tally', 'fans'), 'add', 1);
    return marked.length;
  },
  *naps(context) {
    for (let step = 0; step < 3; step++) {
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 40));
      yield context.df.callActivity('mark', `${context.df.instanceId}-${step}`);
    }
    return 'awake';
  },
  *family(context) {
    const ids = [0, 1, 2].map((n) => `${context.df.instanceId}-c${n}`);
    return yield context.df.Task.all(ids.map((id) => context.df.callSubOrchestrator('naps', undefined, id)));
  },
  *collector(context) {
    const seen = context.df.getInput<number[]>() ?? [];
    const item = (yield context.df.waitForExternalEvent('item')) as number;
    if (item < 0) return seen;
    context.df.continueAsNew([...seen, item]);
    return undefined;
  },
};

for (const [name, handler] of Object.entries(orchestrators))
  df.app.orchestration(name, handler as df.OrchestrationHandler);

const harness = await startHarness({ file });
process.stdout.write(`${harness.extension.clientBinding()}\n`);
