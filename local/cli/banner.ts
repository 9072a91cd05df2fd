import type { FunctionEntry } from '../worker/function-table.ts';

export interface BannerFacts {
  readonly url: string;
  readonly routePrefix: string;
  readonly functions: readonly FunctionEntry[];
  readonly dataDir: string;
  readonly isOpen: boolean;
}

/** What `npm start` prints once the host runs: every function with what calls it, then where to go. */
export function renderBanner({ url, routePrefix, functions, dataDir, isOpen }: BannerFacts): string {
  const rows = functions.map((fn) => [fn.name, kindOf(fn), describeTrigger(fn, url, routePrefix)] as const);
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [names, kinds] = [width(0), width(1)];
  const lines = rows
    .toSorted((a, b) => kindOrder.indexOf(a[1]) - kindOrder.indexOf(b[1]))
    .map(([name, kind, what]) => `  ${name.padEnd(names)}  ${kind.padEnd(kinds)}  ${what}`.trimEnd());
  return [
    '',
    `Functions (${functions.length})`,
    '',
    ...lines,
    '',
    `Listening on ${url}`,
    `Data in ${dataDir}`,
    ...(isOpen
      ? ['', 'Authentication is OFF (SLIPWAY_AUTH=off): everyone on this machine is an administrator.']
      : []),
    '',
    'Ctrl+C stops.',
    '',
  ].join('\n');
}

const kindOrder = ['http', 'blob', 'timer', 'serviceBus', 'orchestration', 'activity', 'entity'];

function kindOf({ trigger }: FunctionEntry): string {
  return trigger.type.replace(/Trigger$/i, '');
}

function describeTrigger({ name, trigger }: FunctionEntry, url: string, routePrefix: string): string {
  const text = (key: string): string => (typeof trigger[key] === 'string' ? trigger[key] : '');
  switch (trigger.type) {
    case 'httpTrigger': {
      const methods = (trigger['methods'] as readonly string[] | undefined)?.join(',') ?? 'ANY';
      const path = [routePrefix, text('route') || name].filter(Boolean).join('/').replace(/^\/+/, '');
      const level = text('authLevel');
      return `${methods} ${url}/${path}${level === 'anonymous' ? '' : ` (${level} key)`}`;
    }
    case 'blobTrigger':
      return text('path');
    case 'timerTrigger':
      return text('schedule');
    case 'serviceBusTrigger':
      return text('queueName') || `${text('topicName')}/${text('subscriptionName')}`;
    default:
      return '';
  }
}
