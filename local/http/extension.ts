import { AppError } from '../../shared/core/errors.ts';
import type { AppSettings } from '../settings/app-settings.ts';
import { textOf } from '../settings/host-json.ts';
import type { HostContext, HostExtension, RunningExtension } from '../host-context.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { createAdminEndpoint } from './admin.ts';
import { HttpFront } from './front.ts';
import type { AuthLevel } from './keys.ts';
import { createRouter } from './router.ts';
import { startHttpServer } from './server.ts';
import { forwardTo } from './streaming/forward.ts';
import { handOverTo } from './streaming/hand-over.ts';
import { TurnEnd } from './turn-end.ts';
import type { WorkerServer } from './streaming/worker-server.ts';

const drainMs = 10_000;
/** Kestrel's limit in the real host; FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it. */
const defaultBodyLimitBytes = 104_857_600;

const authLevels = ['anonymous', 'function', 'admin'] as const;

export interface RunningHttp extends RunningExtension {
  readonly url: string;
}

/** HTTP triggers and `http` outputs. Answers 503 until all extensions have started. */
export const httpExtension = {
  name: 'http',
  triggerTypes: ['httpTrigger'],
  outputTypes: ['http'],
  check({ trigger, returns }: FunctionEntry) {
    const problems: string[] = [];
    if (!authLevels.some((level) => level === readAuthLevel(trigger)))
      problems.push(`authLevel "${String(trigger['authLevel'])}" is not one of ${authLevels.join(', ')}`);
    if (returns?.type !== 'http') problems.push('an HTTP function must return an "http" output');
    return problems;
  },
  async start(context: HostContext, functions: readonly FunctionEntry[]): Promise<RunningHttp> {
    context.endpoints.mount(createAdminEndpoint(context));
    const router = createRouter(context.hostJson.routePrefix, functions.map(toRoute));
    const bodyLimitBytes = readBodyLimit(context.settings);
    const turnEnd = new TurnEnd();
    const worker = findWorkerServer(context, turnEnd);
    const front = new HttpFront(context, router, bodyLimitBytes, worker, turnEnd);
    const { port, responseTimeoutMs } = context.tuning;
    const server = await startHttpServer(
      { log: context.log, handle: (request, response) => front.handle(request, response) },
      { port, responseTimeoutMs },
    );
    return {
      url: server.url,
      begin() {
        front.fallbackHost = new URL(server.url).host;
        front.isReady = true;
      },
      async stop() {
        await server.stop(drainMs);
        worker?.close();
      },
    };
  },
} satisfies HostExtension;

function toRoute(fn: FunctionEntry) {
  const { trigger } = fn;
  const methods = trigger['methods'] as readonly string[] | undefined;
  return {
    name: fn.name,
    // As in the real host, a function without a route has its name as the route.
    template: (trigger['route'] as string | undefined) || fn.name,
    methods: methods?.map((method) => method.toUpperCase()),
    target: { fn, authLevel: readAuthLevel(trigger) as AuthLevel },
  };
}

/** @throws AppError INVALID_ARGUMENT for a value that is not a number, which no body would exceed */
function readBodyLimit(settings: AppSettings): number {
  const text = settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'];
  if (text === undefined) return defaultBodyLimitBytes;
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new AppError(
    'INVALID_ARGUMENT',
    `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is "${text}"; it must be a number of bytes.`,
  );
}

function readAuthLevel(trigger: FunctionEntry['trigger']): string {
  return textOf(trigger['authLevel'], 'function').toLowerCase();
}

/** An app that streams is reached through its worker's server: directly where that is in this process. */
function findWorkerServer(
  { capabilities, workerServer }: HostContext,
  turnEnd: TurnEnd,
): WorkerServer | undefined {
  const uri = capabilities['HttpUri'];
  if (!uri) return undefined;
  return workerServer ? handOverTo(workerServer, turnEnd) : forwardTo(Number(new URL(uri).port));
}
