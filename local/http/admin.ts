import type { HostContext } from '../host-context.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { jsonReply, type HostEndpoint } from './host-endpoints.ts';
import { opensFunction } from './keys.ts';

/** The part of the real host's admin API that tools poll: `/admin/host/status` and `/admin/functions[/{name}]`. */
export function createAdminEndpoint(context: HostContext): HostEndpoint {
  const startedAt = context.clock.now();
  const describe = (fn: FunctionEntry): object => ({
    name: fn.name,
    config: { bindings: [fn.trigger, ...fn.inputs, ...(fn.returns ? [fn.returns] : []), ...fn.outputs] },
    language: 'node',
    isDisabled: false,
  });
  return {
    prefix: '/admin',
    isOpenedBy: (keys, key) => opensFunction(keys, 'admin', key),
    async handle({ method, path }) {
      if (method !== 'GET') return { status: 404, headers: {}, body: '' };
      const [, kind, name, ...more] = path.toLowerCase().replace(/\/$/, '').split('/');
      if (kind === 'host' && name === 'status' && more.length === 0)
        return jsonReply(200, {
          id: 'slipway-local',
          state: 'Running',
          version: '4.0.0-slipway-local',
          processUptime: context.clock.now() - startedAt,
        });
      if (kind === 'functions' && name === undefined) return jsonReply(200, context.functions.map(describe));
      const fn = kind === 'functions' && context.functions.find((entry) => entry.name.toLowerCase() === name);
      return fn && more.length === 0 ? jsonReply(200, describe(fn)) : { status: 404, headers: {}, body: '' };
    },
  };
}
