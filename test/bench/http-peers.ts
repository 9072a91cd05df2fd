import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A server with one fixed answer that the host is compared with, in a separate process. */
export interface HttpPeer {
  readonly url: URL;
  stop(): void;
}

const bareServer = `
  const server = require('node:http').createServer((request, response) => {
    response.setHeader('content-type', 'text/plain;charset=UTF-8');
    response.end('hello');
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** `node:http` without functions: the cost of HTTP alone. */
export function startBareServer(): Promise<HttpPeer> {
  return start(['-e', bareServer]);
}

/** `node:http` and `@azure/functions`: the minimum of any host that runs functions in its own process. */
export function startSdkServer(appDir: string): Promise<HttpPeer> {
  return start([join(import.meta.dirname, 'sdk-server.ts'), appDir]);
}

async function start(args: readonly string[]): Promise<HttpPeer> {
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { url: new URL(`http://127.0.0.1:${await readPort(server)}/hello`), stop: () => server.kill() };
}

async function readPort(server: ChildProcess): Promise<number> {
  const [line] = (await once(server.stdout ?? server, 'data')) as [Buffer];
  return Number(line.toString('utf8'));
}
