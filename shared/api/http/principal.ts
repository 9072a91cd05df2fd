import { AppError } from '../../core/errors.ts';

/** Each role may do all that the ones before it may. */
export const roles = ['reader', 'contributor', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who is calling, and what they may do. */
export interface Principal {
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What everybody is while authentication is off (the local host). */
export const localPrincipal: Principal = { name: 'local', roles: ['admin'] };

/**
 * Reads the principal that App Service authentication puts into `x-ms-client-principal`: base64 of
 * `{ auth_typ, name_typ, role_typ, claims: [{ typ, val }] }`.
 *
 * @returns undefined when the caller is not signed in
 * @throws UNAUTHENTICATED when the header is not what App Service writes
 * @see https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export function readPrincipal(header: string | undefined): Principal | undefined {
  if (header === undefined || header === '') return undefined;
  const parsed = parseHeader(header);
  const claims = parsed.claims.filter(
    (claim) => typeof claim.typ === 'string' && typeof claim.val === 'string',
  );
  const valueOf = (type: string) => claims.find((claim) => claim.typ === type)?.val;
  const roleTypes = new Set([
    'roles',
    'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
    ...(parsed.role_typ ? [parsed.role_typ] : []),
  ]);
  const granted = claims
    .filter((claim) => roleTypes.has(claim.typ))
    .map((claim) => claim.val.toLowerCase().replace(/^slipway\./, ''));
  return {
    name:
      (parsed.name_typ && valueOf(parsed.name_typ)) ||
      valueOf('preferred_username') ||
      valueOf('name') ||
      'unknown',
    roles: roles.filter((role) => granted.includes(role)),
  };
}

export function hasRole(principal: Principal, needed: Role): boolean {
  return principal.roles.some((role) => roles.indexOf(role) >= roles.indexOf(needed));
}

interface ClientPrincipal {
  readonly name_typ?: string;
  readonly role_typ?: string;
  readonly claims: readonly { readonly typ: string; readonly val: string }[];
}

function parseHeader(header: string): ClientPrincipal {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
    if (value !== null && typeof value === 'object' && 'claims' in value && Array.isArray(value.claims)) {
      const claims = value.claims.filter((claim: unknown) => claim !== null && typeof claim === 'object');
      return { ...value, claims } as ClientPrincipal;
    }
  } catch (cause) {
    throw new AppError('UNAUTHENTICATED', 'The x-ms-client-principal header cannot be read.', {}, cause);
  }
  throw new AppError('UNAUTHENTICATED', 'The x-ms-client-principal header has no claims.');
}
