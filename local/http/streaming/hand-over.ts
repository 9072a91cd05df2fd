import { channel } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { sendStatus } from '../response.ts';
import type { TurnEnd } from '../turn-end.ts';
import { WorkerRequest } from './worker-request.ts';
import { WorkerResponse } from './worker-response.ts';
import { AnswerCutError, type WorkerServer } from './worker-server.ts';

/** Node publishes each request of its servers here; the app finds the request of an invocation through it. */
const requestStart = channel('http.server.request.start');

/**
 * Delivers requests to a worker's server in this process as objects, without a second connection. The server's
 * listeners receive streams that are piped to the client's and behave like those of a connection of their own:
 * destroying one of them costs the invocation its connection, never the client.
 */
export function handOverTo(server: Server, turnEnd: TurnEnd): WorkerServer {
  return {
    async deliver(request, response, call) {
      const answer = new WorkerResponse(response, turnEnd);
      const asked = new WorkerRequest(request, call, () => answer.destroy());
      let isClosed = false;
      response.once('close', () => {
        isClosed = !answer.isCut;
        answer.destroy();
        asked.detach();
      });
      if (requestStart.hasSubscribers)
        requestStart.publish({ request: asked, response: answer, socket: request.socket, server });
      server.emit('request', asked, answer);
      const failure = await call.invoke().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure) answer.destroy();
      // Small answers begin at the end of the turn, and only then is it known whether they can.
      else await turnEnd.wait();
      if (isClosed) return;
      if (asked.isTooLarge && !response.headersSent) return sendStatus(response, 413);
      if (!failure && !answer.isCut) return;
      const reason = failure?.error ?? answer.errored ?? new Error('The function closed its connection.');
      throw answer.isCut && response.headersSent ? new AnswerCutError(reason) : reason;
    },
    close() {},
  };
}
