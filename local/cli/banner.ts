import type { FunctionEntry } from '../worker/function-table.ts';

export interface BannerFacts {
  readonly url: string;
  readonly routePrefix: string;
  readonly functions: readonly FunctionEntry[];
  readonly dataDir: string;
  readonly isOpen: boolean;
}

/** The headings of the table, in order. Other trigger types follow under their own names. */
const headings: Readonly<Record<string, string>> = {
  httpTrigger: 'HTTP',
  blobTrigger: 'Blob',
  timerTrigger: 'Timer',
  serviceBusTrigger: 'Service Bus',
  orchestrationTrigger: 'Orchestration',
  activityTrigger: 'Activity',
  entityTrigger: 'Entity',
};

/** Pages to suggest, if the app has them. */
const pages = ['docs', 'api/health'];

/** The text that `npm start` prints when the host runs: every function with its trigger, then the addresses. */
export function renderBanner(facts: BannerFacts): string {
  const { url, functions, dataDir, isOpen } = facts;
  const lines = ['', `Functions (${functions.length})`, ...renderTable(facts)];
  lines.push('', `Listening on ${url}`, `Data in ${dataDir}`);
  if (isOpen)
    lines.push(
      '',
      'Authentication is OFF (SLIPWAY_AUTH=off): every user of this machine is an administrator.',
    );
  const open = functions.map((fn) => pathOf(fn, facts)).filter((path) => pages.includes(path));
  if (open.length > 0) lines.push('', 'Open', ...open.map((path) => `  ${url}/${path}`));
  return [...lines, '', 'Press Ctrl+C to stop.', ''].join('\n');
}

function renderTable(facts: BannerFacts): readonly string[] {
  const { functions } = facts;
  const nameWidth = Math.max(...functions.map(({ name }) => name.length));
  const types = new Set([...Object.keys(headings), ...functions.map(({ trigger }) => trigger.type)]);
  return [...types].flatMap((type) => {
    const own = functions.filter(({ trigger }) => trigger.type === type);
    if (own.length === 0) return [];
    const rows = own.map((fn) => `    ${fn.name.padEnd(nameWidth)}  ${describeTrigger(fn, facts)}`.trimEnd());
    return ['', `  ${headings[type] ?? type}`, ...rows];
  });
}

function describeTrigger(fn: FunctionEntry, facts: BannerFacts): string {
  const { trigger } = fn;
  switch (trigger.type) {
    case 'httpTrigger': {
      const methodsWidth = Math.max(...facts.functions.map((other) => methodsOf(other).length));
      const level = textOf(fn, 'authLevel');
      const key = level === 'anonymous' ? '' : ` (${level} key)`;
      return `${methodsOf(fn).padEnd(methodsWidth)}  ${facts.url}/${pathOf(fn, facts)}${key}`;
    }
    case 'blobTrigger':
      return textOf(fn, 'path');
    case 'timerTrigger':
      return textOf(fn, 'schedule');
    case 'serviceBusTrigger':
      return textOf(fn, 'queueName') || `${textOf(fn, 'topicName')}/${textOf(fn, 'subscriptionName')}`;
    default:
      return '';
  }
}

function methodsOf({ trigger }: FunctionEntry): string {
  if (trigger.type !== 'httpTrigger') return '';
  return (trigger['methods'] as readonly string[] | undefined)?.join(',') ?? 'ANY';
}

/** The path of an HTTP function, without a leading slash; empty for other functions. */
function pathOf(fn: FunctionEntry, { routePrefix }: BannerFacts): string {
  if (fn.trigger.type !== 'httpTrigger') return '';
  const path = [routePrefix, textOf(fn, 'route') || fn.name].filter(Boolean).join('/');
  return path.replace(/^\/+/, '');
}

function textOf({ trigger }: FunctionEntry, key: string): string {
  const value = trigger[key];
  return typeof value === 'string' ? value : '';
}
