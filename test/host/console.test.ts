import { describe, expect, test } from 'vitest';
import { toLogger } from '../../functions/hosting/logger.ts';
import { renderBanner } from '../../local/cli/banner.ts';
import { createConsoleLogger } from '../../local/cli/console-logger.ts';
import type { LogFields, LogLevel } from '../../shared/core/logger.ts';

function print(level: LogLevel, message: string, fields?: LogFields, isTTY = false): string {
  let printed = '';
  const write = (text: string | Uint8Array): boolean => {
    printed += String(text);
    return true;
  };
  createConsoleLogger({ write, isTTY }).log(level, message, fields);
  return printed.replace(/^\d\d:\d\d:\d\d\.\d{3} /, '');
}

describe('the terminal log', () => {
  test("a function's entry is unpacked: message first, its name once, no invocation id", () => {
    let logged = '';
    const context = { functionName: 'score', info: (text: string) => void (logged = text) };
    toLogger(context as never).log('info', 'step started', { step: 'train', attempt: 2, late: undefined });
    expect(print('info', logged, { function: 'score', invocationId: 'made-up' })).toBe(
      'info  step started function=score step=train attempt=2\n',
    );
  });

  test('values: quoted when they have blanks, lists and objects in one line', () => {
    const fields = { path: 'a b', runs: ['x', 'y'], at: { n: 1n }, error: new Error('no\nway'), none: null };
    expect(print('warn', 'odd', fields)).toBe(
      `warn  odd path="a b" runs=[ 'x', 'y' ] at={ n: 1n } error="no\\nway" none=null\n`,
    );
  });

  test.each([
    ['a line end', 'one\n12:00:00.000 error two'],
    ['a terminal command', 'one\u001B[2Jtwo'],
  ])('%s in a message or a value makes no second entry', (_name, text) => {
    for (const printed of [
      print('info', text),
      print('info', 'm', { text }),
      print('info', JSON.stringify({ message: text })),
    ]) {
      expect(printed.indexOf('\n')).toBe(printed.length - 1);
      expect(printed).not.toContain('\u001B');
    }
  });

  test('text that only resembles an entry is unchanged; debug is not shown', () => {
    expect(print('error', '{"message":')).toBe('error {"message":\n');
    expect(print('debug', 'quiet')).toBe('');
  });

  test('colours on a terminal only', () => {
    expect(print('error', 'm', { a: 1 }, true)).toContain('\u001B[31merror\u001B[0m m \u001B[2ma=1\u001B[0m');
  });
});

describe('the banner', () => {
  const http = (name: string, route: string | undefined, more: object = {}) => ({
    name,
    trigger: {
      name: 't',
      type: 'httpTrigger',
      direction: 'in' as const,
      methods: ['GET'],
      authLevel: 'anonymous',
      route,
      ...more,
    },
    inputs: [],
    outputs: [],
  });
  const other = (name: string, type: string, more: object = {}) => ({
    name,
    trigger: { name: 't', type, direction: 'in' as const, ...more },
    inputs: [],
    outputs: [],
  });
  const facts = { url: 'http://127.0.0.1:1', routePrefix: '', dataDir: '/data', isOpen: false };

  test('groups by trigger, in a fixed order, and ends with the pages to open', () => {
    const functions = [
      other('step', 'activityTrigger'),
      other('sweep', 'timerTrigger', { schedule: '0 * * * * *' }),
      http('platform-docs', 'docs'),
      http('secret', undefined, { authLevel: 'function', methods: ['GET', 'POST'] }),
      other('events', 'serviceBusTrigger', { topicName: 'events', subscriptionName: 'all' }),
      other('odd', 'oddTrigger'),
    ] as never;
    expect(renderBanner({ ...facts, functions })).toBe(`
Functions (6)

  HTTP
    platform-docs  GET       http://127.0.0.1:1/docs
    secret         GET,POST  http://127.0.0.1:1/secret (function key)

  Timer
    sweep          0 * * * * *

  Service Bus
    events         events/all

  Activity
    step

  oddTrigger
    odd

Listening on http://127.0.0.1:1
Data in /data

Open
  http://127.0.0.1:1/docs

Press Ctrl+C to stop.
`);
  });

  test('applies the route prefix, warns about open access, and omits pages that do not exist', () => {
    const functions = [http('health', 'health')] as never;
    const banner = renderBanner({ ...facts, routePrefix: 'api', functions, isOpen: true });
    expect(banner).toContain('Open\n  http://127.0.0.1:1/api/health\n');
    expect(banner).toContain('Authentication is OFF');
    expect(renderBanner({ ...facts, functions })).not.toContain('Open');
  });
});
