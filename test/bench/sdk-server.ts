import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadApp } from '../../local/worker/load.ts';

/**
 * The function `hello` directly behind `node:http`: every request is the same call through `@azure/functions`, without
 * routes, keys, limits, logs or outputs. The lower bound for the cost of a call.
 */
const app = await loadApp(process.argv[2] ?? '.', () => {});
const hello = app.registrations.functions.get('hello');
if (!hello) throw new Error('the app has no function "hello"');
const { metadata, callback } = hello;
const name = Object.keys(metadata.bindings).find((key) => metadata.bindings[key]?.type === 'httpTrigger');
if (name === undefined) throw new Error('"hello" has no HTTP trigger');

const http = {
  url: 'http://127.0.0.1/hello',
  method: 'GET',
  nullableHeaders: { host: { value: '127.0.0.1' } },
  nullableQuery: {},
  nullableParams: {},
};
const request = {
  invocationId: '00000000-0000-4000-8000-000000000000',
  inputData: [{ name, data: { http } }],
  triggerMetadata: {},
};

async function call(): Promise<Uint8Array> {
  const model = app.model.getInvocationModel({
    invocationId: request.invocationId,
    metadata,
    request,
    log: () => {},
  });
  const { context, inputs } = await model.getArguments();
  const result = await model.invokeFunction(context, inputs, callback);
  const { returnValue } = await model.getResponse(context, result);
  return returnValue?.http?.body?.bytes ?? new Uint8Array();
}

async function answer(response: ServerResponse): Promise<void> {
  const body = await call();
  response.setHeader('content-type', 'text/plain;charset=UTF-8');
  response.setHeader('content-length', body.length);
  response.end(Buffer.from(body).toString('latin1'), 'latin1');
}

const server = createServer((_request, response) => {
  answer(response).catch((error: Error) => response.destroy(error));
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
