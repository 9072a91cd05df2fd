import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpServer } from '@vercel/cosmosdb-server';
import { applyBatch } from './batch.ts';
import { planQuery } from './query-plan.ts';
import type { WireReply, WireRequest } from './wire.ts';
import { failure, json } from './wire.ts';

export interface CosmosServer {
  readonly endpoint: string;
  /** Any key works: the server does not check it. */
  readonly key: string;
  readonly database: string;
  /** Every request since the last `clear`, including query plans and partition ranges. */
  readonly requests: WireRequest[];
  /** Returns a reply instead of the server's (a fault), or undefined to forward the request. */
  intercept: ((request: WireRequest) => WireReply | 'hang' | 'reset' | undefined) | undefined;
  /** The maximum of documents per response, for short pages. */
  pageItems: number | undefined;
  createContainer(name: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Cosmos DB over plain HTTP, in this process: `@vercel/cosmosdb-server` for documents and SQL, one instance for
 * each physical partition, behind a gateway that adds what it lacks: routing by partition key and key range, query
 * plans, atomic batches, the substatus of a missing container, and faults on demand. It handles one request at a
 * time. It does not emulate: RU cost, index policies, time to live, consistency.
 */
export async function startCosmosServer(
  options: { readonly physicalPartitions?: number } = {},
): Promise<CosmosServer> {
  const count = options.physicalPartitions ?? 1;
  const backends = await Promise.all(
    Array.from({ length: count }, () => listen(createHttpServer({ keepAlive: true }))),
  );
  const ranges = Array.from({ length: count }, (_, index) => keyRange(index, count));
  const agent = new Agent({ keepAlive: true });
  const containers = new Set<string>();
  const database = 'slipway';

  const send = (backend: number, request: WireRequest): Promise<Required<WireReply>> =>
    forward(agent, portOf(backends[backend]!), request);

  const answer = async (request: WireRequest): Promise<WireReply | 'hang' | 'reset'> => {
    const fault = state.intercept?.(request);
    if (fault !== undefined) return fault;
    const path = request.path.replace(/^\/+/, '/').replace(/\/$/, '');
    const [, , , , container, kind] = path.split('/');
    if (container !== undefined && kind !== undefined && !containers.has(decodeURIComponent(container)))
      return failure(404, 'Owner resource does not exist', { 'x-ms-substatus': '1003' });
    if (path.endsWith('/pkranges'))
      return json(200, { PartitionKeyRanges: ranges, _count: count, _rid: '' }, { etag: '"1"' });
    if (kind !== 'docs') return send(0, request);
    if (request.headers['x-ms-cosmos-is-query-plan-request'] !== undefined) return planQuery(request.body);
    const backend = backendOf(request.headers, count);
    if (request.headers['x-ms-cosmos-is-batch-request'] !== undefined)
      return applyBatch(request, path, (inner) => send(backend, inner));
    return send(backend, foldCase(shorten(request, state.pageItems)));
  };

  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((incoming, outgoing) => {
    const previous = turn;
    turn = (async () => {
      await previous;
      try {
        const request = await readRequest(incoming);
        state.requests.push(request);
        reply(outgoing, await answer(request));
      } catch (error) {
        reply(outgoing, failure(500, String(error)));
      }
    })();
  });
  await listen(server);

  const state: CosmosServer = {
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    key: Buffer.from('no secret').toString('base64'),
    database,
    requests: [],
    intercept: undefined,
    pageItems: undefined,
    createContainer: async (name) => {
      const body = JSON.stringify({ id: name, partitionKey: { paths: ['/pk'], kind: 'Hash', version: 2 } });
      for (const backend of backends.keys()) await send(backend, post(`/dbs/${database}/colls`, body));
      containers.add(name);
    },
    close: async () => {
      agent.destroy();
      await Promise.all([server, ...backends].map(closeServer));
    },
  };
  for (const backend of backends.keys()) await send(backend, post('/dbs', JSON.stringify({ id: database })));
  return state;
}

/** Physical partitions divide the hashes of partition keys evenly. */
function keyRange(index: number, count: number) {
  const bound = (part: number) =>
    (part * Math.floor(256 / count)).toString(16).toUpperCase().padStart(2, '0');
  return {
    id: String(index),
    _rid: `range${index}`,
    minInclusive: index === 0 ? '' : bound(index),
    maxExclusive: index === count - 1 ? 'FF' : bound(index + 1),
    ridPrefix: index,
    throughputFraction: 1 / count,
    status: 'online',
    parents: [],
  };
}

function backendOf(headers: WireRequest['headers'], count: number): number {
  const range = headers['x-ms-documentdb-partitionkeyrangeid'];
  if (range !== undefined) return Number(range);
  const key = headers['x-ms-documentdb-partitionkey'];
  if (key === undefined) throw new Error('a request for documents names neither a partition nor a range');
  return createHash('sha256').update(key).digest()[0]! % count;
}

function shorten(request: WireRequest, pageItems: number | undefined): WireRequest {
  const asked = request.headers['x-ms-max-item-count'];
  if (pageItems === undefined || asked === undefined) return request;
  const items = String(Math.min(pageItems, Number(asked)));
  return { ...request, headers: { ...request.headers, 'x-ms-max-item-count': items } };
}

/** The server's string functions have no third argument. */
function foldCase(request: WireRequest): WireRequest {
  if (request.headers['content-type'] !== 'application/query+json') return request;
  const { query, ...rest } = JSON.parse(request.body) as { query: string };
  const folded = query.replaceAll(
    /\b(STARTSWITH|ENDSWITH|CONTAINS)\((c(?:\["(?:[^"\\]|\\.)*"\])+), (@p\d+), true\)/g,
    '$1(LOWER($2), LOWER($3))',
  );
  return { ...request, body: JSON.stringify({ query: folded, ...rest }) };
}

function post(path: string, body: string): WireRequest {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body };
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    method: incoming.method!,
    path: incoming.url!,
    headers: incoming.headers as Record<string, string>,
    body: Buffer.concat(chunks).toString(),
  };
}

function reply(outgoing: ServerResponse, answer: WireReply | 'hang' | 'reset'): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(answer.status, { 'x-ms-request-charge': '1', ...answer.headers });
  outgoing.end(answer.body);
}

async function forward(agent: Agent, port: number, request: WireRequest): Promise<Required<WireReply>> {
  const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
  const outgoing = httpRequest({
    agent,
    port,
    host: '127.0.0.1',
    method: request.method,
    path: request.path,
    headers: { ...headers, 'content-length': Buffer.byteLength(request.body) },
  });
  outgoing.end(request.body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const { body } = await readRequest(incoming);
  const { connection: _, 'transfer-encoding': __, ...kept } = incoming.headers as Record<string, string>;
  return { status: incoming.statusCode!, headers: kept, body };
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
