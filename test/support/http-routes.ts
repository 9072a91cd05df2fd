import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { definitions, steps } from '../../shared/domains/pipelines/catalog.ts';
import { Declarations, type DeclarationsDeps } from '../../shared/domains/pipelines/declarations.ts';
import type { Route } from '../../shared/api/http/route.ts';

const declarations = new Declarations({
  store: standIn() as DeclarationsDeps['store'],
  catalog: { steps, definitions },
  clock: systemClock,
});
const functionsDir = join(import.meta.dirname, '../../functions');

/**
 * Every native route, as the functions register it. The app behind the handlers is a stub that does nothing except the
 * body checks that handlers delegate to it.
 */
export async function loadRoutes(): Promise<readonly Route[]> {
  vi.doMock('@azure/functions', () => ({ app: standIn() }));
  vi.doMock('../../functions/hosting/start.ts', () => ({
    app: standIn({
      config: { auth: 'appService' },
      clock: systemClock,
      pipelines: standIn({ declarations }),
    }),
  }));
  for (const name of readdirSync(functionsDir).filter((file) => file.endsWith('.http.ts')))
    await import(join(functionsDir, name));
  const { registeredRoutes } = await import('../../functions/hosting/http.ts');
  return registeredRoutes;
}

/** An object in which every member exists and is such an object, too. */
function standIn(members: Readonly<Record<string, unknown>> = {}): unknown {
  return new Proxy(() => standIn(), {
    get: (_, name) => {
      if (typeof name === 'symbol' || name === 'then') return undefined;
      return Object.hasOwn(members, name) ? members[name] : standIn();
    },
  });
}
