import { silentLogger } from '../../../shared/core/logger.ts';
import { createByteBudget } from '../../../shared/api/http/byte-budget.ts';
import { handleRequest } from '../../../shared/api/http/handle.ts';
import type { Route } from '../../../shared/api/http/route.ts';
import { createRouteTable } from '../../../shared/api/http/route-table.ts';
import { mlflowProtocol } from '../../../shared/api/mlflow/protocol.ts';
import type { Send } from './script.ts';

/** Endpoints as clients see them under `/api/2.0/`, without a host. */
export function openWire(routes: readonly Route[]): Send {
  const table = createRouteTable({
    name: 'mlflow-rest',
    prefix: 'api/2.0',
    routes,
    authLevel: 'anonymous',
    protocol: mlflowProtocol,
  });
  const bodies = createByteBudget(64 * 2 ** 20);
  return async (method, path, body) => {
    const url = new URL(`http://host/api/2.0/${path}`);
    const { route, params } = table.find(method, url.pathname);
    const bytes = Buffer.from(JSON.stringify(body) ?? '');
    const headers = new Headers(body === undefined ? {} : { 'content-type': 'application/json' });
    const answer = await handleRequest(
      route,
      { url, headers, params, body: body === undefined ? null : one(bytes) },
      { auth: 'off', correlationId: 'test', logger: silentLogger, now: () => Date.now(), bodies },
    );
    return { status: answer.status, json: JSON.parse(answer.body as string) as unknown };
  };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
