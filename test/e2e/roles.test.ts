import { expect, test } from 'vitest';
import { roles } from '../../shared/api/http/principal.ts';
import { startPlatform } from '../support/host/platform.ts';

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly role: string;
  readonly hasBody: boolean;
}

/** The caller: anonymous, signed in without a role, or with a role. */
const callers = ['nobody', 'no role', ...roles] as const;

// One platform for all routes and roles.
test('every route admits exactly the callers that its x-role states', async () => {
  const platform = await startPlatform({ env: { SLIPWAY_AUTH: 'app-service' } });
  const operations = await readOperations(platform.url);
  expect(operations.length).toBeGreaterThan(15);
  expect(new Set(operations.map(({ role }) => role))).toContain('operator');
  for (const operation of operations) {
    const answers: Record<string, string> = {};
    const promised: Record<string, string> = {};
    for (const caller of callers) {
      const response = await fetch(`${platform.url}${operation.path}`, {
        method: operation.method,
        headers: { 'content-type': 'application/json', ...identify(caller) },
        // Admitted requests change nothing: no route accepts this body.
        ...(operation.hasBody ? { body: '{"nothing":' } : {}),
      });
      await response.arrayBuffer();
      answers[caller] = [401, 403].includes(response.status) ? String(response.status) : 'in';
      expect(response.status, `${operation.method} ${operation.path} as ${caller}`).toBeLessThan(500);
      promised[caller] = promise(operation.role, caller);
    }
    expect(answers, `${operation.method} ${operation.path} (${operation.role})`).toEqual(promised);
  }
  const forged = await fetch(`${platform.url}/api/v1/runs`, { headers: { 'x-ms-client-principal': '!' } });
  expect(forged.status).toBe(401);
});

function promise(role: string, caller: (typeof callers)[number]): string {
  if (role === 'anonymous') return 'in';
  if (caller === 'nobody') return '401';
  if (caller === 'no role') return '403';
  const rank: readonly string[] = roles;
  return rank.indexOf(caller) >= rank.indexOf(role) ? 'in' : '403';
}

/** The headers that App Service authentication adds for a signed-in caller. */
function identify(caller: (typeof callers)[number]): Record<string, string> {
  if (caller === 'nobody') return {};
  const claims = caller === 'no role' ? [] : [{ typ: 'roles', val: caller }];
  const principal = { auth_typ: 'aad', name_typ: 'name', role_typ: 'roles', claims };
  return { 'x-ms-client-principal': Buffer.from(JSON.stringify(principal)).toString('base64') };
}

async function readOperations(url: string): Promise<readonly Operation[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { 'x-role': string; requestBody?: object }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'version' ? '1' : 'none-such')),
      method: method.toUpperCase(),
      role: operation['x-role'],
      hasBody: operation.requestBody !== undefined,
    })),
  );
}
